"""`/p/<token>`: looking changes nothing, posting the form does. No login, no cookies, no scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from tenants.masking import mask
from traffic_control import guessing
from traffic_control.audit import ip_of
from traffic_control.errors import Problem
from traffic_control.public_pages import headers_with
from traffic_control.rate_limit import Limit, opaque, spend
from traffic_control.scope import narrow_to
from traffic_control.signed_links import Expired, Forged
from user_preferences import consent_log, preferences
from user_preferences.models import Customer, Preference
from user_preferences.pages import form, fresh_links, hours, links, texts
from user_preferences.pages.choosing import Row
from user_preferences.pages.form import Unclear, Way, WrongHours
from user_preferences.pages.look import STYLE
from user_preferences.pages.now import name_of, now_of
from user_preferences.quiet_hours import DAYS

PAGE = "user_preferences/preference_page.html"
FRESH = "fresh"
LIMIT = Limit(60, 60)  # looks and posts of one address
HEADERS = headers_with(STYLE)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, and in which language."""

    request: HttpRequest
    customer: Customer | None = None

    @property
    def language(self) -> str:
        locale = self.customer.locale or self.customer.tenant.default_locale if self.customer else ""
        return texts.language_of(locale, self.request.headers.get("Accept-Language", ""))


@method_decorator(csrf_exempt, name="dispatch")
class PreferencePageView(View):
    """CSRF-exempt: the token is the proof, and there is no cookie to abuse."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._answered(request, token, is_post=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._answered(request, token, is_post=True)

    def _answered(self, request: HttpRequest, token: str, *, is_post: bool) -> HttpResponse:
        if wait := _seconds_to_wait(request):
            return _refusal(request, "too_many", status=429, wait=wait)
        try:
            link = links.read(token)
            narrow_to(link.tenant_id)
            customer = links.customer_of(link)
        except Expired:
            return _expired(request, token)
        except Forged:
            wait = guessing.seconds_to_wait(request)
            return _refusal(request, "unknown", status=429 if wait else 404, wait=wait)
        reader = Reader(request, customer)
        return _changed(reader, customer) if is_post else _shown(reader, customer)


def _expired(request: HttpRequest, token: str) -> HttpResponse:
    """The same answer for everybody: whose link it was, and whether we know an address, is not told."""
    if request.method != "POST" or request.POST.get("do") != FRESH:
        return _refusal(request, "expired", status=410)
    link = links.opened(token)
    narrow_to(link.tenant_id)
    customer = links.holder_of(link)
    try:
        if customer is not None:
            fresh_links.mail(customer)
    except Problem as problem:
        return _refusal(request, "too_many", status=429, wait=int(problem.headers.get("Retry-After", 60)))
    return _refusal(request, "mailed", status=202)


def _seconds_to_wait(request: HttpRequest) -> int:
    """0 while this address may go on, and without Redis."""
    allowance = spend(f"preference_page:{opaque(ip_of(request))}", LIMIT)
    return 0 if allowance is None or allowance.is_granted else int(allowance.more_in) + 1


def _changed(reader: Reader, customer: Customer) -> HttpResponse:
    try:
        way = _applied(reader, customer)
    except Unclear:
        return _refusal(reader.request, "unclear", status=400)
    except WrongHours:
        return _shown(reader, customer, status=400, notice="quiet_wrong")
    fresh = Customer.objects.for_tenant(customer.tenant_id).select_related("tenant").get(pk=customer.pk)
    is_undo = reader.request.POST.get("do") == form.UNDO
    notice = "undone" if is_undo else "saved" if way.changes else "unchanged"
    return _shown(reader, fresh, notice=notice, undo=() if is_undo else form.hidden(way.back))


@transaction.atomic
def _applied(reader: Reader, customer: Customer) -> Way:
    """Two posts at once take turns: the second reads what the first has made."""
    rows = Customer.objects.for_tenant(customer.tenant_id).select_related("tenant")
    row = rows.select_for_update(of=("self",)).get(pk=customer.pk)
    way = form.read(reader.request.POST, now_of(row))
    version = texts.version_of(reader.language)
    voice = consent_log.voice_of(reader.request, Preference.Source.PREFERENCE_PAGE, version)
    preferences.change(row, way.there, voice=voice)
    return way


def _shown(
    reader: Reader, customer: Customer, *, status: int = 200, notice: str = "", undo: Sequence[tuple[str, str]] = ()
) -> HttpResponse:
    now, words = now_of(customer), texts.LANGUAGES[reader.language]
    address = mask(customer.email or customer.phone)
    names = {"sender": customer.tenant.name, "address": address}
    zone = customer.timezone or customer.tenant.timezone or "UTC"
    typed = reader.request.POST if notice == "quiet_wrong" else None
    quiet = hours.typed(typed.dict(), typed.getlist("quiet_day")) if typed else hours.shown(customer.quiet_hours)
    about = {
        "rows": [_row(row, words) for row in now.rows],
        "sender": customer.tenant.name,
        "intro": words["intro" if address else "intro_nobody"].format(**names),
        "zone_hint": words["quiet_zone_hint"].format(zone=zone),
        "quiet": quiet,
        "quiet_was": hours.shown(customer.quiet_hours).said,
        "days": [(day, words[day], day in quiet.days) for day in DAYS],
        "notice": words[notice] if notice else "",
        "is_bad": status != 200,
        "undo": undo,
    }
    return _page(reader, about, status=status)


def _row(row: Row, words: Mapping[str, str]) -> dict[str, Any]:
    whole = words["essential"] if row.is_locked else words["channels"]
    hint = words["mixed"] if row.is_mixed else "" if row.category else words["channels_hint"]
    boxes = [
        {"name": box.name, "label": words[box.channel], "is_on": box.is_on, "is_muted": box.is_muted}
        for box in row.boxes
    ]
    return {
        "title": name_of(row.category) or whole,
        "hint": hint,
        "is_locked": row.is_locked,
        "boxes": boxes,
    }


def _refusal(request: HttpRequest, why: str, *, status: int, wait: int = 0) -> HttpResponse:
    reader = Reader(request)
    words = texts.LANGUAGES[reader.language]
    said = {"refusal": why, "headline": words[why], "advice": words[f"{why}_what"], "fresh": FRESH}
    response = _page(reader, said, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _page(reader: Reader, said: dict[str, Any], *, status: int) -> HttpResponse:
    language = reader.language
    context = said | {
        "words": texts.LANGUAGES[language],
        "language": language,
        "is_rtl": language in texts.RIGHT_TO_LEFT,
        "style": mark_safe(STYLE),  # noqa: S308 - a constant
    }
    response = render(reader.request, PAGE, context, status=status)
    for name, value in HEADERS.items():
        response[name] = value
    return response
