"""One message, to whom it is for, with our header fields and the words as they were: whatever somebody puts in them."""

import re
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rest_framework.test import APIClient

from delivery_gateway.models import NotificationLog
from tests.corpora.letters import ADDRESSES, BODIES, SUBJECTS
from tests.peers.gullible_smtp import GullibleSmtpPeer
from tests.peers.smtp import Mail, SmtpPeer

SENDER, ADA = "orders@acme.example", "ada@example.com"
FIELDS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
ENCODED = [*FIELDS, "Content-Transfer-Encoding"]
DOMAIN = re.compile(
    r"([a-z0-9-]+\.)*example\.com|xn--exmple-cua\.com|localhost|\[127\.0\.0\.1\]|\[IPv6:::1\]", re.IGNORECASE
)
TEMPLATE = {"name": "letter", "channel": "email", "subject": "{{ s }}", "body": "{{ b }}", "html": "<p>{{ b }}</p>"}
WORKFLOW = {"event_type": "letter.due", "template": "letter", "channels": ["email"]}


@pytest.fixture(params=[SmtpPeer, GullibleSmtpPeer], ids=["strict", "gullible"])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    with request.param() as peer:
        yield peer


@pytest.fixture
def live(transactional_db: None, live: APIClient, settings: Any, server: Any) -> APIClient:
    settings.EGRESS_ALLOW = ["127.0.0.0/8"]
    config = {"host": "127.0.0.1", "port": server.port, "from_email": f"Acme <{SENDER}>"}
    made = [live.post("/v1/integrations/", {"channel": "email", "config": config})]
    made += [live.post("/v1/templates/", TEMPLATE), live.post("/v1/workflows/", WORKFLOW)]
    made.append(live.post("/api/v1/customers/", {"user_id": "ada", "email": ADA}))
    assert {answer.status_code for answer in made} == {201}
    return live


def notified(live: APIClient, subjects: Sequence[str], bodies: Sequence[str]) -> list[Any]:
    words = [{"subject": s, "body": b} for s, b in zip(subjects, bodies, strict=True)]
    return sent_at_once(live, [{"channel": "email", "to": ADA} | said for said in words])


def filled_in(live: APIClient, subjects: Sequence[str], bodies: Sequence[str]) -> list[Any]:
    data = [{"s": s, "b": b} for s, b in zip(subjects, bodies, strict=True)]
    return sent_at_once(live, [{"channel": "email", "to": ADA, "template": "letter", "data": one} for one in data])


def told(live: APIClient, subjects: Sequence[str], bodies: Sequence[str]) -> list[Any]:
    data = [{"s": s, "b": b} for s, b in zip(subjects, bodies, strict=True)]
    events = [{"event_type": "letter.due", "user_id": "ada", "payload": one} for one in data]
    ids = [one["id"] for one in live.post("/api/events/batch/", {"events": events}).json()["results"]]
    found = {row.event_id: row.id for row in NotificationLog.objects.filter(channel="email")}
    return [found[uuid.UUID(one)] for one in ids]


def sent_at_once(live: APIClient, sends: list[dict[str, Any]]) -> list[Any]:
    """The id of each, None for what was refused."""
    answer = live.post("/v1/notify/batch/", {"notifications": sends}).json()
    return [uuid.UUID(one["id"]) if one["status"] == "accepted" else None for one in answer["results"]]


DOORS = {"words": notified, "data of a template": filled_in, "an event": told}


def mails_by_id(server: Any) -> dict[uuid.UUID, Mail]:
    """None of them to anybody else, by anybody else, or twice."""
    mails = server.received
    assert {(mail.mail_from, mail.rcpt_tos) for mail in mails} <= {(SENDER, (ADA,))}
    found = {uuid.UUID(re.findall(rb"Message-ID: <([0-9a-f-]{36})@", mail.content)[0].decode()): mail for mail in mails}
    assert len(found) == len(mails)
    return found


def shown(subject: str) -> str:
    return " ".join(subject.split())


def with_crlf(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


def without_nul(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if "\x00" not in text]


@pytest.mark.parametrize("door", DOORS)
def test_subject_becomes_no_other_field(door: str, live: APIClient, server: Any) -> None:
    subjects = without_nul(SUBJECTS)

    ids = DOORS[door](live, subjects, ["Hello"] * len(subjects))

    mails, rows = mails_by_id(server), NotificationLog.objects.in_bulk([one for one in ids if one])
    for subject, one in zip(subjects, ids, strict=True):
        if one is None or rows[one].status != "sent":
            assert one is None or (rows[one].error_code, one in mails) == ("header_injection", False), ascii(subject)
            continue
        mail = mails.pop(one).message
        assert list(mail.keys()) in (ENCODED, FIELDS), ascii(subject)
        assert mail["To"] == ADA
        assert shown(subject).startswith(mail["Subject"].removesuffix("…")), ascii(subject)
    assert mails == {}


@pytest.mark.parametrize("door", DOORS)
def test_body_ends_where_it_ends(door: str, live: APIClient, server: Any) -> None:
    bodies = without_nul(BODIES)

    ids = DOORS[door](live, ["Hello"] * len(bodies), bodies)

    mails = mails_by_id(server)
    assert mails.keys() == {*ids}
    for body, one in zip(bodies, ids, strict=True):
        octets = mails[one].content
        assert re.search(rb"\r(?!\n)|(?<!\r)\n|[^\t\r\n -~]", octets) is None, ascii(body[:60])
        if isinstance(server, SmtpPeer):
            assert text_of(mails[one]).removesuffix("\r\n") == with_crlf(body).removesuffix("\r\n"), ascii(body[:60])


def text_of(mail: Mail) -> str:
    part = mail.message.get_body(["plain"])
    assert part is not None
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


def test_no_address_is_two(live: APIClient, server: Any) -> None:
    addresses = without_nul(ADDRESSES)

    ids = sent_at_once(live, [{"channel": "email", "to": to, "subject": "Hi", "body": "Hello"} for to in addresses])
    people = [{"user_id": f"u{at}", "email": to, "name": to} for at, to in enumerate(addresses)]
    live.post("/api/v1/customers/batch/", {"customers": people})
    recipients = [person["user_id"] for person in people]
    live.post("/api/events/", {"event_type": "order.paid", "recipients": recipients, "channels": ["email"]})

    mails = server.received
    assert len(mails) < len(addresses)
    assert len(mails) == NotificationLog.objects.filter(status="sent").count() >= len([one for one in ids if one]) > 5
    for mail in mails:
        [to] = mail.rcpt_tos
        assert DOMAIN.fullmatch(to.rpartition("@")[2]), to
        assert (mail.message["To"], mail.message["Bcc"], mail.message["Cc"]) == (to, None, None)


@pytest.mark.parametrize("field", ["to", "subject", "body", "html"])
def test_nul_is_refused_at_the_door(field: str, live: APIClient, server: Any) -> None:
    texts = [text for text in (*SUBJECTS, *BODIES, *ADDRESSES) if "\x00" in text][:20]
    good = {"channel": "email", "to": ADA, "subject": "Hi", "body": "Hello"}

    codes = {live.post("/v1/notify/", good | {field: text}).json()["code"] for text in texts}

    assert (codes, server.received) == ({"malformed_json"}, [])


@pytest.mark.parametrize("field", ["from_email", "username", "password", "host"])
def test_settings_of_a_mail_server_have_no_line_breaks(field: str, live: APIClient, server: Any) -> None:
    config = {"host": "127.0.0.1", "port": server.port, "username": "acme", "password": "p"}
    for one in ("\r\n", "\n", "\r", "\x00", "\u2028", "\x85"):
        value = f"Acme{one}RCPT TO:<victim@evil.example> <a@example.com>"
        answer = live.post("/v1/integrations/", {"channel": "email", "config": config | {field: value}})
        assert answer.status_code == 400, ascii(value)


@pytest.mark.parametrize(
    "name", ["Shop\\", 'Shop" <victim@evil.example>', "Shop, victim@evil.example", "=?utf-8?q?=0ABcc:?="]
)
def test_name_of_a_sender_is_only_a_name(name: str, live: APIClient, server: Any) -> None:
    config = {"host": "127.0.0.1", "port": server.port, "from_email": f"{name} <{SENDER}>"}
    if live.post("/v1/integrations/", {"channel": "email", "config": config}).status_code == 201:
        notified(live, ["Hello"], ["Hello"])

    for mail in server.received:
        assert (mail.mail_from, mail.rcpt_tos, [*mail.message.keys()]) == (SENDER, (ADA,), ENCODED)
        assert len(mail.message["From"].addresses) == 1
