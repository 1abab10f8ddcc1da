"""Dead letters by cause, and what is done about all of one cause at once."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from delivery_gateway import dead_letters, exporting, replays, selectors
from delivery_gateway.models import DeadLetter
from delivery_gateway.replays import Choice
from tenants.admin_base import TenantScopedAdmin, may_see_addresses
from tenants.admin_forms import dressed
from traffic_control.errors import Problem

REPLAY = "delivery_gateway.replay_deadletter"


class CauseForm(forms.Form):
    """A cause, and what the steps about it want to know."""

    tenant = forms.UUIDField(widget=forms.HiddenInput)
    channel = forms.CharField(max_length=20, widget=forms.HiddenInput)
    code = forms.CharField(max_length=100, widget=forms.HiddenInput)
    rate = forms.IntegerField(min_value=1, max_value=100_000, required=False, help_text="Empty: as fast as it goes.")
    reason = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)


@dataclass(frozen=True, slots=True)
class Reader:
    """As `tenants.masking` asks it."""

    scopes: list[str]


def reader_of(request: HttpRequest) -> Reader:
    return Reader(["pii"] if may_see_addresses(request) else [])


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody asked for, about letters that they may see."""

    request: HttpRequest
    page: TenantScopedAdmin
    choice: Choice
    form: CauseForm

    def say(self, text: str, level: int = messages.SUCCESS) -> None:
        self.page.message_user(self.request, text, level)


def overview(request: HttpRequest, page: TenantScopedAdmin) -> HttpResponse:
    """Every cause with its count. One statement, over the newest letters that wait."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        return act(request, page)
    causes = selectors.by_cause(page.get_queryset(request), reader_of(request), "tenant_id", "tenant__name")
    context = {"causes": causes, "may_act": request.user.has_perm(REPLAY), "most": selectors.MOST}
    return _shown(request, page, "delivery_gateway/triage.html", "Dead letters by cause", context)


def act(request: HttpRequest, page: TenantScopedAdmin) -> HttpResponse:
    """One of STEPS, for the cause that was posted."""
    form = CauseForm(request.POST)
    step = STEPS.get(request.POST.get("step", ""))
    if step is None or not form.is_valid():
        page.message_user(request, "That could not be understood.", messages.ERROR)
        return _back()
    letters = page.get_queryset(request).filter(tenant_id=form.cleaned_data["tenant"])
    if not request.user.has_perm(REPLAY) or not letters.exists():
        raise PermissionDenied
    filters = {name: form.cleaned_data[name] for name in ("channel", "code")}
    return step(Step(request, page, Choice(form.cleaned_data["tenant"], filters), form))


def test(step: Step) -> HttpResponse:
    """The newest letter goes out for real; its page says what comes of it."""
    newest = step.choice.letters().order_by("-id").first()
    if newest is None or not dead_letters.replay(step.choice.letters().filter(id=newest.id)):
        step.say("No letter of this cause waits any more.", messages.WARNING)
        return _back()
    step.page.log_each(step.request, [newest], "Sent again, to test its cause.")
    step.say("Sent again: this page shows what comes of it.")
    return HttpResponseRedirect(reverse("admin:delivery_gateway_deadletter_change", args=[newest.pk]))


def ask(step: Step) -> HttpResponse:
    """How many, and what may arrive twice, before anything is sent."""
    letters = step.choice.letters()
    context = {
        "count": selectors.number_of(letters),
        "most": selectors.MOST,
        "doubtful": letters.filter(notification__ambiguous__gt=0).count(),
        "form": CauseForm(initial={**step.choice.filters, "tenant": step.choice.tenant_id}),
        "choice": step.choice,
    }
    return _shown(step.request, step.page, "delivery_gateway/replay_all.html", "Send all of a cause again", context)


def replay(step: Step) -> HttpResponse:
    try:
        job = replays.start(step.choice, rate=step.form.cleaned_data["rate"], started_by=str(step.request.user))
    except Problem as problem:
        step.say(str(problem.detail), messages.WARNING)
        return _back()
    return HttpResponseRedirect(reverse("admin:delivery_gateway_replayjob_change", args=[job.pk]))


def discard(step: Step) -> HttpResponse:
    if not (reason := step.form.cleaned_data["reason"].strip()):
        step.say("Say why they are discarded.", messages.ERROR)
        return _back()
    step.say(f"{dead_letters.discard(step.choice.letters(), reason=reason)} discarded.")
    return _back()


STEPS: dict[str, Callable[[Step], HttpResponse]] = {"test": test, "ask": ask, "replay": replay, "discard": discard}


def export(request: HttpRequest, page: TenantScopedAdmin) -> Any:
    """`?as=csv|jsonl`, by channel, code and tenant."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    kind = "jsonl" if request.GET.get("as") == "jsonl" else "csv"
    return exporting.response(_chosen(request, page.get_queryset(request)), reader_of(request), kind)


def _chosen(request: HttpRequest, letters: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
    filters = {name: request.GET[name] for name in ("channel", "code") if request.GET.get(name)}
    letters = letters.select_related("notification").filter(**filters)
    try:
        return letters.filter(tenant_id=uuid.UUID(request.GET["tenant"])) if request.GET.get("tenant") else letters
    except ValueError:
        return letters.none()


def _shown(
    request: HttpRequest, page: TenantScopedAdmin, template: str, title: str, context: dict[str, Any]
) -> HttpResponse:
    about = {**page.admin_site.each_context(request), "title": title, "opts": page.opts, "media": page.media}
    return TemplateResponse(request, template, {**about, **context})


def _back() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:delivery_gateway_deadletter_triage"))
