"""What stands beside a template's words: how they read with a sample, what is wrong with them, a test to oneself."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import strip_tags

from delivery_gateway.admin.drawn import drawn
from delivery_gateway.registry import CHANNELS
from notification_processor import samples, templates, trying_out
from notification_processor.admin.template_versions import found_by
from notification_processor.context import context_for
from notification_processor.models import MessageTemplate
from notification_processor.renderer.wire import PARTS
from notification_processor.samples import Sample
from notification_processor.template_trials import Editor, send_test
from notification_processor.trying_out import Flaw, Tried
from tenants.admin_base import TenantScopedAdmin, may_see_addresses, tenant_id_of
from tenants.models import Tenant
from traffic_control.errors import Problem, invalid
from traffic_control.parsers import parse_json

SEES_EVENTS = "notification_processor.view_event"
PAGES = "admin:notification_processor_messagetemplate"
PANE = "notification_processor/template_pane.html"


@dataclass(frozen=True, slots=True)
class Message:
    """As `drawn` wants it."""

    channel: str
    subject: str
    body: str
    html: str
    payload: dict[str, Any] | None = None


def pane(request: HttpRequest, console: TenantScopedAdmin, template_id: uuid.UUID | None) -> HttpResponse:
    """A fragment, for words that are being typed."""
    template = _template(request, console, template_id)
    try:
        data, found = _tried(request, console, template)
    except Problem as problem:
        return render(request, PANE, {"problem": problem.detail})
    message = Message(template.channel, found.text.subject, found.text.body, found.text.html, _payload(template, data))
    flaws = sorted(found.flaws, key=lambda flaw: (PARTS.index(flaw.part), flaw.line))
    limit, length = CHANNELS[template.channel].limits.body, len(_read(message))
    facts = {
        "drawn": drawn(message) if any((message.subject, message.body, message.html)) else "",
        "flaws": [flaw for flaw in flaws if flaw.is_fatal],
        "notes": [flaw for flaw in flaws if not flaw.is_fatal],
        "plain": found.text.body if template.channel == "email" and found.text.html else "",
        "length": length,
        "limit": limit,
        "is_long": limit is not None and length > limit,
    }
    return render(request, PANE, facts)


def test(request: HttpRequest, console: TenantScopedAdmin, template_id: uuid.UUID) -> HttpResponse:
    """A fragment that says where the test message went, or why it did not."""
    template = _template(request, console, template_id)
    if not console.has_change_permission(request, template):
        raise PermissionDenied
    answer: dict[str, Any] = {}
    try:
        data, found = _tried(request, console, template)
        if any(flaw.is_fatal for flaw in found.flaws):
            raise invalid("/body", "Not sent: these words cannot be made with this sample, as is said below.")
        user: Any = request.user
        editor = Editor(user.get_username(), user.email)
        payload = _payload(template, data) or {}
        new = send_test(template, found.text, editor, payload=payload, version=_version(request, template))
        console.log_each(request, [template], f"Test message {new.id} sent.")
        page = reverse("admin:delivery_gateway_notificationlog_change", args=[new.id])
        answer = {"to": new.to or new.user_id, "page": page}
    except Problem as problem:
        answer = {"problem": problem.detail}
    return render(request, "notification_processor/template_tested.html", answer)


def first_sample(request: HttpRequest, template: MessageTemplate) -> Sample:
    """What the page begins with. Nobody is shown an event here who may not see events."""
    if request.user.has_perm(SEES_EVENTS):
        real = samples.last_real(template, sees_addresses=may_see_addresses(request))
        if real is not None:
            return real
    source = templates.source_of(template)
    try:
        reads, _ = trying_out.reads_of(source.text, owner=str(template.tenant_id))
    except Problem:
        reads = []
    return Sample(samples.made_up([read.path for read in reads]), samples.MADE_UP)


def beside(request: HttpRequest, console: TenantScopedAdmin, template: MessageTemplate | None) -> dict[str, Any]:
    """What the page of a template, or of one that is still to be made, begins with."""
    if template is None:
        return {"pane_url": reverse(f"{PAGES}_pane"), "sample": Sample({}, samples.MADE_UP), "sample_text": ""}
    sample = first_sample(request, template)
    may_change = console.has_change_permission(request, template)
    return {
        "pane_url": reverse(f"{PAGES}_pane_of", args=[template.pk]),
        "test_url": reverse(f"{PAGES}_test", args=[template.pk]) if may_change else "",
        "sample": sample,
        "sample_text": request.POST.get("sample") or json.dumps(sample.data, indent=2, ensure_ascii=False),
        "relatives": _relatives(template),
    }


def _relatives(template: MessageTemplate) -> list[MessageTemplate]:
    """What is said under the same name on other channels and in other locales."""
    same = templates.of_tenant(template.tenant_id).filter(name=template.name)
    return list(same.exclude(pk=template.pk).order_by("channel", "locale")[:20])


def _tried(request: HttpRequest, console: TenantScopedAdmin, template: MessageTemplate) -> tuple[dict[str, Any], Tried]:
    """The sample, and the words with it. Raises Problem."""
    text = _words(request, console, template)
    owner = str(template.tenant_id or "")
    reads, flaws = trying_out.reads_of(text, owner=owner)
    data = _sample(request) or samples.made_up([read.path for read in reads])
    found = trying_out.tried(text, reads, flaws, _context(template, data), owner=owner)
    if text[0] and not (text[1] or text[2]):
        found.flaws.append(Flaw("body", 0, "a template needs a body, or HTML"))
    return data, found


def _words(request: HttpRequest, console: TenantScopedAdmin, template: MessageTemplate) -> tuple[str, str, str]:
    """As they were typed; those that are stored, for whoever may only look."""
    if not template._state.adding and not console.has_change_permission(request, template):
        return templates.source_of(template).text
    return _typed(request)


def _typed(request: HttpRequest) -> tuple[str, str, str]:
    subject, body, html = (request.POST.get(part, "").replace("\r\n", "\n") for part in PARTS)
    return subject, body, html


def _sample(request: HttpRequest) -> dict[str, Any]:
    """By the rules for what comes with an event. Raises Problem that says where it breaks them."""
    given = request.POST.get("sample", "").strip()
    try:
        found = parse_json(given.encode()) if given else {}
    except Problem as problem:
        told = str(problem.detail).replace("The body", "It")
        raise invalid("/sample", f"The sample cannot be used. {told}") from problem
    if not isinstance(found, dict):
        raise invalid("/sample", 'The sample has to be an object: { "name": "value" }.')
    return found


def _context(template: MessageTemplate, data: dict[str, Any]) -> dict[str, Any]:
    """`customer` and `event` of the sample stand for the real ones, with all that those always have."""
    tenant = template.tenant.name if template.tenant_id else "Your name"
    payload = {name: value for name, value in data.items() if name not in samples.OURS}
    context = context_for(payload=payload, tenant_name=tenant, event_type=template.name)
    for name in ("customer", "event"):
        if isinstance(given := data.get(name), dict):
            context[name] = {**context[name], **given}
    return context


def _payload(template: MessageTemplate, data: dict[str, Any]) -> dict[str, Any] | None:
    """Of a webhook, which is made of it."""
    if template.channel != "webhook":
        return None
    return {name: value for name, value in data.items() if name not in samples.OURS}


def _read(message: Message) -> str:
    """What is counted: of markup that takes the place of the body, its text."""
    return strip_tags(message.html) if message.channel == "telegram" and message.html else message.body


def _version(request: HttpRequest, template: MessageTemplate) -> int | None:
    """None for words that nobody has published."""
    source = templates.source_of(template)
    return source.number if _typed(request) == source.text else None


def _template(request: HttpRequest, console: TenantScopedAdmin, template_id: uuid.UUID | None) -> MessageTemplate:
    """The one that is edited, or one that is still to be made. Raises Http404."""
    if request.method != "POST":
        raise Http404
    if template_id is None:
        return _new(request, console)
    return found_by(request, console, template_id)


def _new(request: HttpRequest, console: TenantScopedAdmin) -> MessageTemplate:
    if not console.has_add_permission(request):
        raise PermissionDenied
    channel = request.POST.get("channel", "")
    tenant_id = _tenant_id(request)
    tenant = Tenant.objects.filter(pk=tenant_id).first() if tenant_id else None
    return MessageTemplate(tenant=tenant, channel=channel if channel in CHANNELS else "email", name="new")


def _tenant_id(request: HttpRequest) -> uuid.UUID | None:
    """Superusers choose one in the form."""
    if not request.user.is_superuser:
        return tenant_id_of(request)
    try:
        return uuid.UUID(request.POST.get("tenant", ""))
    except ValueError:
        return None
