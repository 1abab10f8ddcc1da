"""Plays the Telegram Bot API: every answer is its envelope, and HTML is parsed as it would parse it."""

import json
from html.parser import HTMLParser
from typing import Any

from tests.peers.http_server import Answer, HttpPeer, Request

TOKEN = "123456:peer-token_AAE"
TAGS = {
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "a",
    "code",
    "pre",
    "blockquote",
    "tg-spoiler",
    "span",
}
MAX_TEXT = 4_096
FIELDS = {"chat_id", "text", "parse_mode", "link_preview_options", "disable_notification", "message_thread_id"}
DESCRIPTIONS = {
    400: "Bad Request: something is wrong",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    429: "Too Many Requests: retry after 1",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


class TelegramPeer(HttpPeer):
    """`unknown`, `blocked`: chats by how they refuse; `moved`: chat → the supergroup it has become."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.token = TOKEN
        self.unknown: set[object] = set()
        self.blocked: set[object] = set()
        self.moved: dict[object, int] = {}
        self._messages = 0

    @property
    def path(self) -> str:  # type: ignore[override]
        return f"/bot{self.token}/sendMessage"

    def answer(self, request: Request) -> Answer:
        if request.target == f"/bot{self.token}/getMe":
            return Answer.of({"ok": True, "result": {"id": 123456, "is_bot": True, "username": "peer_bot"}})
        if request.target != self.path:
            return self.refuse(401 if request.target.endswith("/sendMessage") else 404)
        try:
            payload = json.loads(request.body)
        except ValueError:
            return envelope(400, "Bad Request: can't parse JSON object")
        return self._send(payload)

    def _send(self, payload: dict[str, Any]) -> Answer:
        chat = payload.get("chat_id")
        if chat in self.moved:
            parameters = {"migrate_to_chat_id": self.moved[chat]}
            return envelope(400, "Bad Request: group chat was upgraded to a supergroup chat", parameters)
        if chat in self.blocked:
            return self.refuse(403)
        if chat in self.unknown or not _is_chat(chat):
            return envelope(400, "Bad Request: chat not found")
        if problem := _problem(payload):
            return envelope(400, f"Bad Request: {problem}")
        self._messages += 1
        return Answer.of({"ok": True, "result": {"message_id": self._messages, "chat": {"id": chat}}})

    def refuse(self, status: int) -> Answer:
        return envelope(status, DESCRIPTIONS.get(status, "Error"), {"retry_after": 7} if status == 429 else None)


def envelope(status: int, description: str, parameters: dict[str, int] | None = None) -> Answer:
    content: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return Answer.of(content | ({"parameters": parameters} if parameters else {}), status=status)


def _is_chat(chat: object) -> bool:
    return isinstance(chat, int) or (isinstance(chat, str) and (chat.startswith("@") or chat.lstrip("-").isdecimal()))


def _problem(payload: dict[str, Any]) -> str:
    text = payload.get("text", "")
    if set(payload) - FIELDS:
        return "unsupported field"
    if payload.get("parse_mode") == "HTML":
        parser = _Markup()
        parser.feed(text)
        parser.close()
        if parser.problem or parser.open_tags:
            return f"can't parse entities: {parser.problem or 'Unclosed start tag'} at byte offset 0"
        text = parser.visible
    if not text.strip():
        return "message text is empty"
    return "message is too long" if len(text.encode("utf-16-le")) // 2 > MAX_TEXT else ""


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open_tags: list[str] = []
        self.problem = self.visible = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open_tags.append(tag)
        if tag not in TAGS:
            self.problem = f'Unsupported start tag "{tag}"'

    def handle_endtag(self, tag: str) -> None:
        if not self.open_tags or self.open_tags.pop() != tag:
            self.problem = f'Unexpected end tag "{tag}"'

    def handle_data(self, data: str) -> None:
        self.visible += data
