"""What reaches a screen is text: no mention, no forged link, no element and no script of somebody's own making."""

import re
from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from delivery_gateway.models import InboxItem, NotificationLog
from delivery_gateway.unsubscribe_links import link_for
from tenants.services import Registration
from tests.corpora.markup import MENTIONS, SCRIPTS, SLACK, TEAMS, TELEGRAM
from tests.peers.slack import SlackPeer
from tests.peers.smtp import SmtpPeer
from tests.peers.teams import TeamsPeer
from tests.peers.telegram import TOKEN, TelegramPeer

ADA = "ada@example.com"
CARD = {"$schema", "type", "version", "body", "msteams"}
HTML = '<p title="{{ b }}">{{ b }}</p><a href="https://acme.example/?q={{ b }}">{{ s }}</a>'


@pytest.fixture
def live(transactional_db: None, live: APIClient, settings: Any) -> APIClient:
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    return live


def without_nul(*corpora: Sequence[str]) -> list[str]:
    return [text for texts in corpora for text in texts if "\x00" not in text]


def sent(live: APIClient, channel: str, to: str, texts: Sequence[str]) -> None:
    """As words of a message, and as data of a template."""
    template = {"name": f"from_{channel}", "channel": channel, "subject": "{{ s }}", "body": "{{ b }}"}
    made = [live.post("/v1/templates/", template)]
    config = {"bot_token": TOKEN} if channel == "telegram" else {"url": to}
    made.append(live.post("/v1/integrations/", {"channel": channel, "config": config | {"rate_limit": "9999/s"}}))
    assert [answer.status_code for answer in made] == [201, 201]
    words = [{"channel": channel, "to": to, "subject": text[:900], "body": text} for text in texts]
    data = [{"channel": channel, "to": to, "template": template["name"], "data": {"s": t, "b": t}} for t in texts]
    answer = live.post("/v1/notify/batch/", {"notifications": words + data})
    refused = [one for one in answer.json()["results"] if one["status"] != "accepted"]
    assert (answer.status_code, refused) == (202, [])
    assert set(NotificationLog.objects.values_list("status", "error_code")) == {("sent", "")}


def told(live: APIClient, channels: Sequence[str], texts: Sequence[str], **customer: Any) -> None:
    """As the payload of events without a template, and as the name of the customer."""
    names = [re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", "", text)[:200] for text in texts]
    people = [{"user_id": f"u{at}", "name": name} | customer for at, name in enumerate(names)]
    answer = live.post("/api/v1/customers/batch/", {"customers": people})
    assert answer.status_code == 200, answer.content[:2_000]
    events = [
        {"event_type": "note.made", "user_id": f"u{at}", "payload": {"note": text, text[:100]: 1}, "channels": channels}
        for at, text in enumerate(texts)
    ]
    assert live.post("/api/events/batch/", {"events": events}).status_code == 202


def test_corpus_is_large() -> None:
    assert len({*SLACK, *MENTIONS, *TEAMS, *TELEGRAM, *SCRIPTS}) > 180


def test_slack_is_told_to_mention_and_to_link_nothing(live: APIClient, slack_peer: SlackPeer) -> None:
    texts = without_nul(SLACK, MENTIONS, TEAMS, SCRIPTS)

    sent(live, "slack", slack_peer.url, texts)
    told(live, ["slack"], texts, addresses={"slack": slack_peer.url})

    assert len(slack_peer.received) == 3 * len(texts)
    for request in slack_peer.received:
        assert {block["type"] for block in request.json["blocks"]} <= {"header", "section"}
        marked = [block["text"]["text"] for block in request.json["blocks"] if block["text"]["type"] == "mrkdwn"]
        for text in (*marked, request.json["text"]):
            assert re.search(r"[<>]|&(?!amp;|lt;|gt;)|@(channel|here|everyone)\b", text, re.IGNORECASE) is None, text
    shown = ["".join(block["text"]["text"] for block in one.json["blocks"][1:]) for one in slack_peer.received]
    assert missing(texts, [unescape(text).replace("\u2060", "") for text in shown]) == []


def test_teams_is_sent_a_card_without_forged_links(live: APIClient, teams_peer: TeamsPeer) -> None:
    texts = without_nul(TEAMS, MENTIONS, SLACK, SCRIPTS)

    sent(live, "teams", teams_peer.url, texts)
    told(live, ["teams"], texts, addresses={"teams": teams_peer.url})

    assert len(teams_peer.received) == 3 * len(texts)
    for request in teams_peer.received:
        [attachment] = request.json["attachments"]
        card = attachment["content"]
        assert (set(card), card["msteams"]) == (CARD, {"width": "full"})
        assert {block["type"] for block in card["body"]} == {"TextBlock"}
        assert [block["text"] for block in card["body"] if re.search(r"\][(\[:]", block["text"])] == []


def test_telegram_is_sent_no_markup_but_a_bold_title(
    live: APIClient, settings: Any, telegram_peer: TelegramPeer
) -> None:
    settings.TELEGRAM_BASE_URL = telegram_peer.base_url
    texts = without_nul(TELEGRAM, SCRIPTS)

    sent(live, "telegram", "4711", texts)
    told(live, ["telegram"], texts, addresses={"telegram": "4711"})

    assert len(telegram_peer.received) == 3 * len(texts)
    marked = [Page(one.json["text"]) for one in telegram_peer.received if "parse_mode" in one.json]
    assert {tuple(page.elements) for page in marked} == {(("b", ()),)}
    assert len(marked) >= len(telegram_peer.received) - 9  # what is too long goes out as plain text
    assert missing([text for text in texts if len(text) < 1_000], [page.text for page in marked]) == []


def missing(texts: Sequence[str], shown: Sequence[str]) -> list[str]:
    """Those that nobody gets to see as they were written, but for blanks."""
    everything = "\n\n".join(" ".join(text.split()) for text in shown)
    return [text for text in texts if " ".join(text.split())[:2_000] not in everything]


class Page(HTMLParser):
    """What a reader makes of it: its elements with the names of their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment", ()))

    unknown_decl = handle_pi = handle_comment


def html_of(mail: Any) -> Page:
    part = mail.message.get_body(["html"])
    return Page(part.get_payload(decode=True).decode())


def test_html_of_a_mail_has_the_elements_of_its_template_only(
    live: APIClient, settings: Any, smtp_peer: SmtpPeer
) -> None:
    settings.EMAIL_BACKEND = "delivery_gateway.channels.smtp.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", smtp_peer.port, False
    texts = ["harmless", *without_nul(SCRIPTS, TELEGRAM)]
    template = {"name": "page", "channel": "email", "subject": "{{ s }}", "body": "{{ b }}", "html": HTML}
    assert live.post("/v1/templates/", template).status_code == 201
    sends = [{"channel": "email", "to": ADA, "template": "page", "data": {"s": text, "b": text}} for text in texts]

    assert live.post("/v1/notify/batch/", {"notifications": sends}).status_code == 202
    told(live, ["email"], texts, email=ADA)

    pages = [html_of(mail) for mail in smtp_peer.received]
    assert len(pages) == 2 * len(texts)
    for one_door in (pages[: len(texts)], pages[len(texts) :]):
        assert {tuple(page.elements) for page in one_door} == {tuple(one_door[0].elements)}
        assert missing([text[:100] for text in texts], [page.text for page in one_door]) == []
        assert {link[:23] for page in one_door for link in page.links} <= {"https://acme.example/?q"}


def test_inbox_and_api_answer_in_text(live: APIClient, sandbox: APIClient, acme: Registration) -> None:
    texts = without_nul(SCRIPTS)
    told(live, ["in_app"], texts)
    for text in texts[:20]:
        sandbox.post("/v1/notify/", {"channel": "email", "to": ADA, "subject": text, "body": text, "html": text})

    assert InboxItem.objects.count() == len(texts)
    for path in ("/v1/notifications/?limit=200", "/v1/sandbox/messages/?limit=200", "/api/v1/customers/?limit=200"):
        for client in (live, sandbox):
            answer = client.get(path)
            assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/json", "nosniff")


@pytest.mark.parametrize("text", without_nul(SCRIPTS)[:60:6], ids=ascii)
def test_page_to_unsubscribe_shows_words_as_words(
    text: str, live: APIClient, settings: Any, acme: Registration
) -> None:
    settings.PUBLIC_URL = "https://notify.example.com"
    type(acme.tenant).objects.filter(pk=acme.tenant.pk).update(name=text[:100])
    rows = [NotificationLog(tenant=acme.tenant, channel="email", to=ADA, category=c) for c in ("news", text[:64])]
    plain, path = (link_for(row).removeprefix(settings.PUBLIC_URL) for row in rows)

    answer = Client().get(path)

    assert answer.status_code == 200
    assert Page(answer.content.decode()).elements == Page(Client().get(plain).content.decode()).elements
    assert "<" not in text or text not in answer.content.decode()
