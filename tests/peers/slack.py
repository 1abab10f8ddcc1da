"""Plays Slack's incoming webhooks: the answers are Slack's own words, as plain text."""

import json
from typing import Any

from tests.peers.http_server import Answer, HttpPeer, Request

WORDS = {
    400: "invalid_payload",
    403: "invalid_token",
    404: "no_service",
    410: "channel_is_archived",
    429: "rate_limited",
    500: "rollup_error",
}


class SlackPeer(HttpPeer):
    path = "/services/T0000/B0000/secret-of-the-hook"

    def answer(self, request: Request) -> Answer:
        if request.method != "POST" or request.target != self.path:
            return Answer(404, "no_service")
        try:
            payload = json.loads(request.body)
        except ValueError:
            return Answer(400, "invalid_payload")
        problem = _problem(payload) if isinstance(payload, dict) else "invalid_payload"
        return Answer(400, problem) if problem else Answer(200, "ok")

    def refuse(self, status: int) -> Answer:
        return Answer(status, WORDS.get(status, "fatal_error"))


def _problem(payload: dict[str, Any]) -> str:
    text, blocks = payload.get("text", ""), payload.get("blocks", [])
    if not text and not blocks:
        return "no_text"
    if not isinstance(text, str) or not isinstance(blocks, list) or set(payload) - {"text", "blocks"}:
        return "invalid_payload"
    total = sum(len(block.get("text", {}).get("text", "")) for block in blocks)
    return "invalid_blocks" if len(blocks) > 50 or total > 13_000 or not all(map(_is_block, blocks)) else ""


def _is_block(block: dict[str, Any]) -> bool:
    text = block.get("text", {})
    limits = {"header/plain_text": 150, "section/mrkdwn": 3_000, "section/plain_text": 3_000}
    return 0 < len(text.get("text", "")) <= limits.get(f"{block.get('type')}/{text.get('type')}", 0)
