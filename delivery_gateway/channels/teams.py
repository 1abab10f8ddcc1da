"""Microsoft Teams through the Workflows app ("When a Teams webhook request is received"): one Adaptive Card a message.

The answer 202 says that the flow took the card, not that it was posted. Links in a card's Markdown show their address:
what a customer typed cannot name one place and lead to another.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from delivery_gateway.channels.http import read_hook, refusal, shorten
from delivery_gateway.channels.spec import CALLBACK_SECRET, CHAT_REPEATS, RATE, ChannelSpec, Limits, Setting
from delivery_gateway.contract import EXCERPT, ContentRejected, DeliveryError, Message, Misconfigured, Receipt
from delivery_gateway.egress import Egress
from delivery_gateway.egress.destination import read_url

MAX_BYTES = 24 * 1024  # of the whole request; Teams refuses 28 KB
SUBJECT, BODY = 300, 16_000  # characters
_LINK = re.compile(r"\](?=[(\[:])")  # between the text of a link and where it leads
_JOINER = "]\u2060"  # invisible, and keeps the two apart
RETIRED = "webhook.office.com"
CLASSES: Mapping[int, type[DeliveryError]] = {400: ContentRejected, 413: ContentRejected}


@dataclass(frozen=True)
class Teams:
    egress: Egress

    def send(self, message: Message) -> Receipt:
        try:
            url = read_address(message.address)
        except ValueError as error:
            raise Misconfigured(str(error), code="invalid_address") from None
        reply = self.egress.post(url, body=orjson.dumps(payload(message)))
        if not reply.is_success:
            raise refusal(reply, CLASSES)
        return Receipt(detail=reply.text[:EXCERPT] or "accepted by the flow", http_status=reply.status)

    def prove(self, address: str) -> str:
        return self.egress.reach(address) if address else ""

    def close(self) -> None:
        """Connections belong to the egress."""


def payload(message: Message) -> dict[str, Any]:
    """The message as a card of at most MAX_BYTES; a body that does not fit is shortened."""
    subject = shorten(message.subject.strip(), SUBJECT)
    body = shorten(message.body.strip(), BODY)
    return _card(subject, shorten(body, MAX_BYTES, measure=lambda text: len(orjson.dumps(_card(subject, text)))))


def _card(subject: str, body: str) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    if subject:
        title = _LINK.sub(_JOINER, subject)
        blocks.append({"type": "TextBlock", "text": title, "weight": "Bolder", "size": "Large", "wrap": True})
    if body:
        # A single line break is a space in a card's Markdown.
        text = _LINK.sub(_JOINER, body).replace("\r\n", "\n").replace("\n\n", "\n").replace("\n", "\n\n")
        blocks.append({"type": "TextBlock", "text": text, "wrap": True})
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "msteams": {"width": "full"},
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def read_address(text: str) -> str:
    """The whole URL, never taken apart. Raises ValueError, also for a retired connector."""
    url = read_hook(text)
    host = read_url(url).host
    if host == RETIRED or host.endswith(f".{RETIRED}"):
        raise ValueError(
            "Office 365 connectors (webhook.office.com) are retired and take no messages. In Teams, make a workflow "
            "with the trigger 'When a Teams webhook request is received' and use its URL."
        )
    return url


def for_tenant(values: Mapping[str, str], settings: Any, egress: Egress) -> Teams:
    return Teams(egress)


def for_platform(settings: Any, egress: Egress) -> Teams:
    return Teams(egress)  # the address is the credential: nothing to configure


SPEC = ChannelSpec(
    name="teams",
    lane="chat",
    provider="workflows",
    settings=(Setting("url", "URL of the workflow, as Teams shows it", is_secret=True), RATE, CALLBACK_SECRET),
    for_tenant=for_tenant,
    for_platform=for_platform,
    address_setting="url",
    validate_address=read_address,
    limits=Limits(subject=SUBJECT, body=BODY),
    max_ambiguous=CHAT_REPEATS,
)
