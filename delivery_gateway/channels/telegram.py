"""Telegram Bot API, `sendMessage`. The address is a chat id or a channel's @name.

`subject` and `body` are plain text; `html` (the template's HTML part, in Telegram's small subset) replaces the body
where there is one. The token is part of the URL, so no error text ever quotes the URL.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any

import orjson

from delivery_gateway.channels.http import refusal, shorten
from delivery_gateway.channels.spec import CALLBACK_SECRET, CHAT_REPEATS, RATE, ChannelSpec, Limits, Setting
from delivery_gateway.contract import (
    EXCERPT,
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Message,
    Misconfigured,
    Receipt,
    RecipientGone,
)
from delivery_gateway.egress import Egress, Reply, clamp_retry_after
from traffic_control.rate_limit import Limit, Pace

MAX_TEXT = 4_096  # counted as Telegram does: UTF-16 units, after the markup is taken out
_TOKEN = re.compile(r"[A-Za-z0-9:_-]{1,200}")  # what a URL path may hold: a server of your own may issue others
_CHAT = re.compile(r"-?[0-9]{1,18}|@[A-Za-z][A-Za-z0-9_]{3,31}")
_TAG = re.compile(r"<[^>]*>")
CLASSES: Mapping[int, type[DeliveryError]] = {
    400: ContentRejected,
    401: Misconfigured,
    403: RecipientGone,
    404: Misconfigured,
}
UNREACHABLE = ("chat not found", "user not found", "peer_id_invalid", "bot can't initiate")


@dataclass(frozen=True)
class Telegram:
    egress: Egress
    token: str = field(repr=False)
    base_url: str = "https://api.telegram.org"

    def send(self, message: Message) -> Receipt:
        """Repeats a definite refusal at most twice: as plain text when the markup was wrong, and to a chat's new id."""
        ends_at = time.monotonic() + self.egress.policy.total_seconds  # for all calls together
        body, notes = payload(message), []
        reply, answer = self._call(body, ends_at)
        if _says(answer, "can't parse entities") and "parse_mode" in body:
            body = plain_payload(message)
            notes.append("sent as plain text: " + str(answer["description"]))
            reply, answer = self._call(body, ends_at)
        if new_chat := answer.get("parameters", {}).get("migrate_to_chat_id"):
            notes.append(f"the chat has moved to {new_chat}")
            reply, answer = self._call(body | {"chat_id": new_chat}, ends_at)
        if answer.get("ok") is not True:
            raise _error(reply, answer)
        return Receipt(str(answer.get("result", {}).get("message_id", "")), "; ".join(notes)[:EXCERPT], reply.status)

    def close(self) -> None:
        """Connections belong to the egress."""

    def prove(self, address: str) -> str:
        """Asks who the bot is: `getMe`."""
        reply = self.egress.post(self._url("getMe"), body={})
        answer = _envelope(reply)
        if answer.get("ok") is not True:
            raise _error(reply, answer)
        return f"the bot is @{answer.get('result', {}).get('username', '')}"

    def _url(self, method: str) -> str:
        return f"{self.base_url}/bot{self.token}/{method}"

    def _call(self, body: Mapping[str, Any], ends_at: float) -> tuple[Reply, dict[str, Any]]:
        reply = self.egress.post(self._url("sendMessage"), body=body, timeout=max(0.1, ends_at - time.monotonic()))
        return reply, _envelope(reply)


def payload(message: Message) -> dict[str, Any]:
    text = "\n\n".join(part for part in (_title(message), message.html.strip() or escape(message.body.strip())) if part)
    if _units(unescape(_TAG.sub("", text))) > MAX_TEXT:  # shortening markup would break it
        return plain_payload(message)
    return _request(message, text) | {"parse_mode": "HTML"}


def plain_payload(message: Message) -> dict[str, Any]:
    """Without markup: nothing in it can be refused but its length, and that is cut."""
    parts = (message.subject.strip(), message.body.strip() or _TAG.sub("", message.html).strip())
    return _request(message, shorten("\n\n".join(part for part in parts if part), MAX_TEXT, measure=_units))


def _request(message: Message, text: str) -> dict[str, Any]:
    chat = message.address
    return {
        "chat_id": chat if chat.startswith("@") else int(chat) if _CHAT.fullmatch(chat) else chat,
        "text": text,
        "link_preview_options": {"is_disabled": True},
    }


def _title(message: Message) -> str:
    return f"<b>{escape(message.subject.strip())}</b>" if message.subject.strip() else ""


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _envelope(reply: Reply) -> dict[str, Any]:
    """Telegram's `{"ok": …}`; empty when somebody else answered."""
    try:
        answer = orjson.loads(reply.text)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _says(answer: Mapping[str, Any], words: str) -> bool:
    return words in str(answer.get("description", "")).lower()


def _error(reply: Reply, answer: Mapping[str, Any]) -> DeliveryError:
    if reply.is_success:
        return Ambiguous("Something other than Telegram answered.", code="bad_reply", http_status=reply.status)
    gone = {400: RecipientGone} if any(_says(answer, words) for words in UNREACHABLE) else {}
    error = refusal(reply, {**CLASSES, **gone}, detail=str(answer.get("description", "")))
    if seconds := answer.get("parameters", {}).get("retry_after"):
        error.retry_after = clamp_retry_after(float(seconds))
    return error


def read_address(text: str) -> str:
    chat = text.strip()
    if not _CHAT.fullmatch(chat):
        raise ValueError("A Telegram address is a chat id such as 123456789 or -1001234567890, or a channel's @name.")
    return chat


def for_tenant(values: Mapping[str, str], settings: Any, egress: Egress) -> Telegram:
    return _bot(values["bot_token"], egress, settings.TELEGRAM_BASE_URL)


def for_platform(settings: Any, egress: Egress) -> Telegram | None:
    token = settings.TELEGRAM_BOT_TOKEN
    return _bot(token, egress, settings.TELEGRAM_BASE_URL) if token else None


def _bot(token: str, egress: Egress, base_url: str) -> Telegram:
    if not _TOKEN.fullmatch(token):
        raise ValueError("A bot token looks like 123456:ABC-DEF: letters, digits, colon, _ and - only.")
    return Telegram(egress, token, base_url)


SPEC = ChannelSpec(
    name="telegram",
    lane="chat",
    provider="bot",
    settings=(
        Setting("bot_token", "Token from @BotFather", is_secret=True, is_required=True),
        Setting("chat_id", "Chat for messages without an address of their own"),
        RATE,
        CALLBACK_SECRET,
    ),
    for_tenant=for_tenant,
    for_platform=for_platform,
    address_setting="chat_id",
    platform_address="TELEGRAM_CHAT_ID",
    validate_address=read_address,
    pace=Limit(30, 1).evenly(),  # a bot's messages to all chats together
    address_pace=Pace(1.0, burst=5),  # "one message a second in a chat, short bursts may go over"
    limits=Limits(body=MAX_TEXT),
    max_ambiguous=CHAT_REPEATS,
)
