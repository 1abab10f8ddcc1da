"""Slack incoming webhooks, and servers that speak their protocol. The URL is the credential and the address.

Texts are plain: `& < >` are escaped and an invisible character follows the @ of @channel, so what a customer typed can
neither ring everybody nor forge a link.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery_gateway.channels.http import read_hook, refusal, shorten
from delivery_gateway.channels.spec import CALLBACK_SECRET, CHAT_REPEATS, RATE, ChannelSpec, Limits, Setting
from delivery_gateway.contract import EXCERPT, Message, Receipt
from delivery_gateway.egress import Egress, Reply
from traffic_control.rate_limit import Pace

HEADER, SECTION, FALLBACK = 150, 3_000, 3_900  # characters Slack takes in a header, a section, the text
BLOCK_TEXT = 12_000  # all blocks together: Slack fails somewhere near 13,000
_EVERYBODY = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)  # Slack parses "certain mentions" itself
_WORD = re.compile(r"[a-z][a-z_]{2,60}")


@dataclass(frozen=True)
class Slack:
    egress: Egress

    def send(self, message: Message) -> Receipt:
        reply = self.egress.post(message.address, body=payload(message))
        if not reply.is_success:
            raise refusal(reply, code=_code(reply))
        return Receipt(detail=reply.text[:EXCERPT], http_status=reply.status)

    def prove(self, address: str) -> str:
        return self.egress.reach(address) if address else ""

    def close(self) -> None:
        """Connections belong to the egress."""


def payload(message: Message) -> dict[str, Any]:
    """`text` is what notifications and screen readers show; the blocks are what the channel shows."""
    subject, body = message.subject.strip(), message.body.strip()
    blocks: list[dict[str, Any]] = []
    if subject:
        blocks.append({"type": "header", "text": {"type": "plain_text", "text": shorten(subject, HEADER)}})
    for section in _sections(shorten(body, BLOCK_TEXT - HEADER, measure=_escaped_length)):
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": section}})
    text = "\n".join(part for part in (subject, body) if part)
    return {"text": escape(shorten(text, FALLBACK, measure=_escaped_length)), "blocks": blocks}


def escape(text: str) -> str:
    text = _EVERYBODY.sub("@\u2060", text) if "@" in text else text
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escaped_length(text: str) -> int:
    return len(escape(text))


def _sections(text: str) -> list[str]:
    """Escaped pieces of at most SECTION characters, cut at line ends where possible; never inside an entity."""
    pieces: list[str] = []
    while text:
        head = text
        if _escaped_length(head) > SECTION:
            head = _longest_head(text)
        pieces.append(escape(head.rstrip("\n")))
        text = text[len(head) :]
    return [piece for piece in pieces if piece]


def _longest_head(text: str) -> str:
    low, high = 1, min(len(text), SECTION)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _escaped_length(text[:middle]) <= SECTION else (low, middle - 1)
    line_end = text.rfind("\n", 1, low)
    return text[: line_end + 1] if line_end > 0 else text[:low]


def _code(reply: Reply) -> str:
    """Slack's word for the error: its whole answer is one."""
    return reply.text.strip() if _WORD.fullmatch(reply.text.strip()) else ""


def for_tenant(values: Mapping[str, str], settings: Any, egress: Egress) -> Slack:
    return Slack(egress)


def for_platform(settings: Any, egress: Egress) -> Slack:
    return Slack(egress)  # the address is the credential: nothing to configure


SPEC = ChannelSpec(
    name="slack",
    lane="chat",
    provider="webhook",
    settings=(
        Setting("url", "Incoming webhook, https://hooks.slack.com/services/…", is_secret=True),
        RATE,
        CALLBACK_SECRET,
    ),
    for_tenant=for_tenant,
    for_platform=for_platform,
    address_setting="url",
    validate_address=read_hook,
    address_pace=Pace(1.0, burst=5),  # "one message a second, short bursts tolerated"
    limits=Limits(subject=HEADER, body=BLOCK_TEXT - HEADER),
    max_ambiguous=CHAT_REPEATS,
)
