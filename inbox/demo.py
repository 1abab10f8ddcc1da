"""A page to see an inbox with, on a machine of one's own: /demo/inbox/, under DEBUG only."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from inbox.issuing import token_for
from notification_processor import direct
from notification_processor.direct import DirectSend
from tenants import demo
from tenants.models import Tenant
from traffic_control.scope import across_tenants

USER = "ann"
MESSAGE: dict[str, Any] = {
    "channel": "in_app",
    "user_id": USER,
    "subject": "Order 7 is on its way",
    "body": "It arrives tomorrow between 9 and 12.",
    "data": {
        "inbox": {
            "severity": "success",
            "url": "#order-7",
            "actions": [{"key": "track", "label": "Track it", "url": "#track-7", "style": "primary"}],
        }
    },
}


def while_trying(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not settings.DEBUG:
            raise Http404
        with across_tenants():  # there is no key, and the one tenant it shows is the demo's
            return view(request)

    return guarded


@while_trying
@require_GET
@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    about = {
        "user": USER,
        "tenant": Tenant.objects.filter(slug=demo.SLUG).first(),
        "stream_url": settings.INBOX_STREAM_URL,
        "url": request.build_absolute_uri("/v1/notify/"),
        "language": request.GET.get("lang", "en")[:8],
        "theme": request.GET.get("theme", "auto"),
        "realtime": request.GET.get("realtime", "auto"),
        "poll": request.GET.get("poll", "30"),
        "is_rtl": request.GET.get("lang", "").startswith(("ar", "he", "fa")),
    }
    answer = render(request, "inbox/demo.html", about)
    answer["Content-Security-Policy"] = policy()
    return answer


def policy() -> str:
    """As strict as it gets: what the component needs is said in docs/inbox.md."""
    parts = urlsplit(settings.INBOX_STREAM_URL)
    streams = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{streams}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


@while_trying
@require_GET
def token(request: HttpRequest) -> HttpResponse:
    """What a tenant's own server would do: it knows who is signed in."""
    answer = JsonResponse({"token": token_for(_tenant(), USER, seconds=3_600)["token"]})
    answer["Cache-Control"] = "no-store"
    return answer


@while_trying
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    about = {"subject": MESSAGE["subject"], "body": MESSAGE["body"], "data": MESSAGE["data"]}
    direct.send(_tenant(), "live", DirectSend(channel="in_app", user_id=USER, **about))
    return JsonResponse({"status": "accepted"}, status=202)


def _tenant() -> Tenant:
    found = Tenant.objects.filter(slug=demo.SLUG).first()
    if found is None:
        raise Http404("There is no demo tenant: run manage.py demo.")
    return found
