"""How the console shows things: status pills, links, JSON, and other people's HTML. All of it escaped."""

import json
import uuid
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

TONES = {
    "good": ("sent", "delivered", "completed", "active", "on", "replayed", "in use", "finished"),
    "busy": ("pending", "queued", "sending", "accepted", "generated", "running"),
    "waiting": ("scheduled", "held", "throttled", "paused", "lapsed", "ambiguous", "transient", "waiting"),
    "bad": ("failed", "bounced", "permanent", "gone", "content", "misconfigured"),
    "test": ("test",),
}
TONE_OF = {word: tone for tone, words in TONES.items() for word in words}
DASH = "–"

# A message under inspection may not load, run or send anything: no pictures that tell the sender who looked.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"


def once(shown: Callable[[Any, Any], SafeString]) -> Callable[[Any, Any], SafeString]:
    """The theme asks for a field of a row's page several times: what it costs is paid the first time."""

    @wraps(shown)
    def remembered(page: Any, row: Any) -> SafeString:
        known: dict[str, SafeString] = row.__dict__.setdefault("_shown", {})
        if shown.__name__ not in known:
            known[shown.__name__] = shown(page, row)
        return known[shown.__name__]

    return remembered


def pill(word: str) -> SafeString:
    if not word:
        return SafeString(DASH)
    return format_html('<span class="pill pill-{}">{}</span>', TONE_OF.get(word, "quiet"), word.replace("_", " "))


def told_once(secrets: Mapping[str, str]) -> SafeString:
    """The message after something secret was made."""
    shown = format_html_join(" ", '{}: <code class="key">{}</code>', secrets.items())
    return format_html("Copy this now, it is not shown again. {}", shown)


def link_to_page(model: str, pk: uuid.UUID | None, text: str = "") -> SafeString:
    """`model` as in URL names, e.g. "delivery_gateway_notificationlog"."""
    if pk is None:
        return SafeString(DASH)
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{model}_change", args=[pk]), text or pk)


def link_to_list(model: str, text: str, **filters: Any) -> SafeString:
    query = urlencode({name: value for name, value in filters.items() if value})
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:{model}_changelist"), query, text)


def code(text: str) -> SafeString:
    return format_html("<code>{}</code>", text) if text else SafeString(DASH)


def text_block(text: str) -> SafeString:
    return format_html('<pre class="block">{}</pre>', text) if text else SafeString(DASH)


def json_block(value: Any) -> SafeString:
    if value in (None, {}, []):
        return SafeString(DASH)
    return text_block(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def html_frame(html: str) -> SafeString:
    """HTML as its reader would see it, in a frame without scripts, forms, links out, or anything loaded."""
    if not html:
        return SafeString(DASH)
    page = f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">{html}'
    return format_html(
        '<iframe class="letter" sandbox="" referrerpolicy="no-referrer" title="The HTML part, as its reader sees it"'
        ' srcdoc="{}"></iframe><details><summary>Source</summary><pre class="block">{}</pre></details>',
        page,
        html,
    )


def pairs(values: Mapping[str, Any], between: str = SafeString("<br>")) -> SafeString:
    return format_html_join(between, "{}: {}", values.items()) or SafeString(DASH)
