"""`/u/<token>`: looking changes nothing, posting unsubscribes. No login, no cookies, no scripts (RFC 8058)."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from delivery_gateway import unsubscribe_links
from delivery_gateway.unsubscribe_links import Unsubscription
from notification_processor.unsubscribing import consent, texts
from notification_processor.unsubscribing.consent import Wish
from traffic_control import guessing
from traffic_control.metrics import UNSUBSCRIPTIONS, count
from traffic_control.public_pages import headers_with
from traffic_control.scope import narrow_to
from traffic_control.signed_links import Expired, Forged
from user_preferences import consent_log
from user_preferences.consent_log import BY_LINK, Voice
from user_preferences.models import Preference
from user_preferences.pages.texts import RIGHT_TO_LEFT, language_of, version

PAGE = "notification_processor/unsubscribe.html"
ONE_CLICK = "List-Unsubscribe", "One-Click"  # what a mail program posts
BUTTON = "confirm", "yes"  # what our page posts
UNDO = "undo", "yes"  # and once it is done
STYLE = (
    ":root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;margin:12vh auto;max-width:32rem;"
    "padding:0 1.5rem}button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.4rem;background:#1d4ed8;"
    "color:#fff;cursor:pointer}button:focus-visible{outline:3px solid #f59e0b;outline-offset:2px}"
)
HEADERS = headers_with(STYLE)


@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribeView(View):
    """CSRF-exempt: the token is the proof, and mail providers post without having seen a page."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._answered(request, token, is_post=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._answered(request, token, is_post=True)

    def _answered(self, request: HttpRequest, token: str, *, is_post: bool) -> HttpResponse:
        try:
            asked = unsubscribe_links.read(token)
        except Expired:
            return _page(request, "expired", status=410)
        except Forged:
            return _refused(request)
        narrow_to(asked.tenant_id)
        return _unsubscribed(request, asked) if is_post else _shown(request, asked)


def _shown(request: HttpRequest, asked: Unsubscription, *, status: int = 200) -> HttpResponse:
    wish = consent.about(asked)
    return _page(request, "ask" if wish else "unknown", status=status if wish else 404, wish=wish)


def _unsubscribed(request: HttpRequest, asked: Unsubscription) -> HttpResponse:
    """A repeat is answered as the first time."""
    if request.POST.get(UNDO[0]) == UNDO[1]:
        return _undone(request, asked)
    is_one_click = request.POST.get(ONE_CLICK[0]) == ONE_CLICK[1]
    if not is_one_click and request.POST.get(BUTTON[0]) != BUTTON[1]:
        return _shown(request, asked, status=400)
    wish = consent.about(asked)
    if wish is None:
        return _page(request, "unknown", status=404)
    voice = BY_LINK if is_one_click else _voice(request, wish)  # of a mail program's post nobody has seen any words
    count(UNSUBSCRIPTIONS, "unsubscribed" if consent.honour(asked, voice) else "repeated")
    if is_one_click:
        return HttpResponse("Unsubscribed.\n", content_type="text/plain; charset=utf-8", headers=HEADERS)
    return _page(request, "done", wish=wish)


def _undone(request: HttpRequest, asked: Unsubscription) -> HttpResponse:
    wish = consent.about(asked)
    if wish is None:
        return _page(request, "unknown", status=404)
    if consent.undo(asked, _voice(request, wish)):
        count(UNSUBSCRIPTIONS, "undone")
    return _page(request, "undone", wish=wish)


def _refused(request: HttpRequest) -> HttpResponse:
    count(UNSUBSCRIPTIONS, "refused")
    if wait := guessing.seconds_to_wait(request):
        response = _page(request, "unknown", status=429)
        response["Retry-After"] = str(wait)
        return response
    return _page(request, "unknown", status=404)


def _language(request: HttpRequest, wish: Wish | None) -> str:
    accepted = request.headers.get("Accept-Language", "")
    return language_of(wish.locale if wish else "", accepted, spoken=texts.LANGUAGES)


def _voice(request: HttpRequest, wish: Wish) -> Voice:
    language = _language(request, wish)
    seen = version(language, texts.LANGUAGES[language])
    return consent_log.voice_of(request, Preference.Source.UNSUBSCRIBE_LINK, seen)


def _page(request: HttpRequest, what: str, *, status: int = 200, wish: Wish | None = None) -> HttpResponse:
    language = _language(request, wish)
    words = texts.LANGUAGES[language]
    field, value = UNDO if what == "done" else BUTTON
    context = {
        "language": language,
        "is_rtl": language in RIGHT_TO_LEFT,
        "words": words,
        "headline": words[what],
        "said": _sentence(what, wish, words) if wish else words[f"{what}_what"],
        "press": wish and {"field": field, "value": value, "label": words["undo" if what == "done" else "button"]},
        "style": mark_safe(STYLE),  # noqa: S308 - a constant
    }
    response = render(request, PAGE, context, status=status)
    for name, text in HEADERS.items():
        response[name] = text
    return response


def _sentence(what: str, wish: Wish, words: Mapping[str, str]) -> str:
    name = {"undone": ("again_all", "again")}.get(what, ("no_more_at_all", "no_more"))[bool(wish.category)]
    category = format_html("<strong><bdi>{}</bdi></strong>", wish.category)
    sender = format_html("<bdi>{}</bdi>", wish.sender)
    address = format_html("<bdi>{}</bdi>", wish.address or words["this_address"])
    return format_html(words[name], sender=sender, category=category, address=address)
