"""The page that sends a message once more: to whom it was for, or to whoever asks."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from notification_processor import resending
from notification_processor.resending import AGAIN, TO_STAFF, NotSendable
from tenants.admin_base import TenantScopedAdmin, may_see_addresses
from tenants.console_navigation import stand_at
from tenants.masking import mask

SEND = "delivery_gateway.replay_deadletter"  # the right to send something again
ARRIVED = (Status.SENT, Status.DELIVERED)
NO_EMAIL = "Your account has no email address. A superuser can give it one."


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: one of two kinds of copy. `obstacle` says why not."""

    row: NotificationLog
    to_me: bool
    by: str
    email: str

    @property
    def obstacle(self) -> str:
        refusal = resending.objection(self.row, TO_STAFF if self.to_me else AGAIN)
        return refusal or (NO_EMAIL if self.to_me and not self.email else "")

    def fulfil(self) -> uuid.UUID:
        if self.to_me:
            return resending.send_to_staff(self.row, email=self.email, by=self.by)
        return resending.send_again(self.row, by=self.by)


def page(request: HttpRequest, console: TenantScopedAdmin, notification_id: uuid.UUID) -> HttpResponse:
    """`?to=me`, or to whom it was for. Asks first."""
    theirs: Any = console.admin_site.get_model_admin(NotificationLog)
    if not (request.user.has_perm(SEND) and theirs.has_view_permission(request)):
        raise PermissionDenied
    row = theirs.get_queryset(request).filter(pk=notification_id).first()
    if row is None:
        raise Http404
    email = getattr(request.user, "email", "")
    wish = Wish(row, request.GET.get("to") == "me", by=request.user.get_username(), email=email)
    if request.method == "POST" and not wish.obstacle:
        return _fulfilled(request, theirs, wish)
    stand_at(request, "delivery_gateway_notificationlog")
    context = {
        **console.admin_site.each_context(request),
        "title": "Send to me" if wish.to_me else "Send again",
        "opts": NotificationLog._meta,
        "media": console.media,
        "wish": wish,
        "to": _shown(request, wish),
        "has_arrived": row.status in ARRIVED or row.ambiguous > 0,
    }
    return TemplateResponse(request, "notification_processor/resend.html", context)


def _fulfilled(request: HttpRequest, theirs: Any, wish: Wish) -> HttpResponse:
    back = wish.row.pk
    try:
        back = wish.fulfil()
    except NotSendable as refusal:  # it has changed since it was looked at
        theirs.message_user(request, str(refusal), messages.ERROR)
    else:
        theirs.log_each(request, [wish.row], f"{'Sent to me' if wish.to_me else 'Sent again'}, as {back}.")
        theirs.message_user(request, "The copy is on its way. This page says what comes of it.", messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:delivery_gateway_notificationlog_change", args=[back]))


def _shown(request: HttpRequest, wish: Wish) -> str:
    if wish.to_me:
        return wish.email
    to = resending.address_now(wish.row)
    return to if may_see_addresses(request) or wish.row.channel == "in_app" else mask(to)
