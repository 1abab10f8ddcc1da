"""The page that sends a test message through an integration."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from delivery_gateway.registry import CHANNELS
from delivery_gateway.trial_messages import open_trial
from tenants import integrations
from tenants.admin_base import TenantScopedAdmin
from tenants.admin_forms import dressed, show_problem
from tenants.console_navigation import stand_at
from tenants.models import Integration
from traffic_control.errors import Problem


class TrialForm(forms.Form):
    to = forms.CharField(label="To", max_length=2_048, required=False)

    def __init__(self, *args: Any, has_own_address: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].required = not has_own_address
        self.fields["to"].help_text = "Empty: where the integration itself leads." if has_own_address else ""
        dressed(self)


def page(request: HttpRequest, console: TenantScopedAdmin, integration_id: uuid.UUID) -> HttpResponse:
    """Whoever may change the integration may test it."""
    theirs: Any = console.admin_site.get_model_admin(Integration)
    if not theirs.has_change_permission(request):
        raise PermissionDenied
    integration = theirs.get_queryset(request).filter(pk=integration_id).first()
    if integration is None:
        raise Http404
    form = TrialForm(
        request.POST or None, has_own_address=_has_own(integration), initial=_proposed(request, integration)
    )
    if request.method == "POST" and form.is_valid() and (sent := _sent(form, integration)):
        theirs.log_each(request, [integration], f"Test message {sent} sent.")
        console.message_user(request, "It is on its way. This page says what comes of it.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:delivery_gateway_notificationlog_change", args=[sent]))
    stand_at(request, "tenants_integration")
    context = {
        **console.admin_site.each_context(request),
        "title": "Send a test message",
        "opts": Integration._meta,
        "media": console.media,
        "integration": integration,
        "form": form,
    }
    return TemplateResponse(request, "delivery_gateway/trial.html", context)


def _sent(form: TrialForm, integration: Integration) -> uuid.UUID | None:
    """None when it could not be, which the form then tells."""
    try:
        return open_trial(integration, to=form.cleaned_data["to"])
    except Problem as problem:
        show_problem(form, problem)
        return None


def _has_own(integration: Integration) -> bool:
    return bool(CHANNELS[integration.channel].address_default(integrations.opened(integration)))


def _proposed(request: HttpRequest, integration: Integration) -> dict[str, str]:
    """To oneself, where the channel is mail."""
    return {"to": getattr(request.user, "email", "")} if integration.channel == "email" else {}
