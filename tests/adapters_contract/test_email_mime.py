"""The text of a mail: what the standard library's parser reads out of it is what went in, whatever that was."""

import email.policy
import re
import uuid
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from delivery_gateway.channels.email import compose
from delivery_gateway.channels.mail_headers import WORD_BYTES, mailbox_field, read_mailbox, text_field
from delivery_gateway.channels.mime import Letter, Letterhead
from delivery_gateway.contract import Message
from tests.adapters_contract.conftest import ID, SENDER

LETTERHEAD = Letterhead(SENDER)
FIELDS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
]
HARD = [
    "a",
    "=?",
    "?=",
    "=?utf-8?q?=0ABcc=3A_x?=",
    " ",
    "  ",
    "\t",
    "ü",
    "漢字",
    "🍵",
    "\u2028",
    "\u0085",
    "\x7f",
    ".",
    '"',
]
BREAKS = ["\r", "\n", "\r\n", "\n.\n", "\r\n.\r\n", "\x00", "\x0b", "\x0c", "--=_", "From ", "=", "x" * 998, "y" * 999]
letters = st.characters(exclude_categories=["Cs"])
bodies = st.lists(st.one_of(st.sampled_from(HARD + BREAKS), letters), max_size=40).map("".join) | st.text(letters)
subjects = (
    st.lists(st.one_of(st.sampled_from([*HARD, "word " * 20, "w" * 90]), letters), max_size=30)
    .map("".join)
    .map(lambda text: re.sub(r"[\x00-\x08\x0a-\x1f\x7f]", "", text).strip()[:980])
)


def parse(letter: Letter) -> EmailMessage:
    return email.message_from_bytes(letter.content, policy=email.policy.default)


def write(**changes: str) -> Letter:
    values: dict[str, Any] = {"to": "ada@example.com", "subject": "Order 7", "text": "Thank you.", "html": ""} | changes
    return LETTERHEAD.write(ID, **values)


def with_crlf(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


def content(part: EmailMessage) -> str:
    return cast(bytes, part.get_payload(decode=True)).decode("utf-8")


@given(bodies)
@example("")
@example("x" * 100_000)
def test_a_plain_text_comes_out_as_it_went_in(text: str) -> None:
    expected = with_crlf(text)

    assert content(parse(write(text=text))) in (expected, expected + "\r\n")


@given(bodies, bodies.filter(bool))
@example("--=_019aa4b17c00700080000123456789ab--", "\n--=_019aa4b17c00700080000123456789ab\n\nx")
def test_both_parts_come_out_as_they_went_in(text: str, html: str) -> None:
    mail = parse(write(text=text, html=html))

    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [content(cast(EmailMessage, part)) for part in parts] == [with_crlf(text), with_crlf(html)]


@given(subjects)
def test_a_subject_comes_out_as_it_went_in(subject: str) -> None:
    mail = parse(write(subject=subject))

    assert mail["Subject"] == subject
    assert list(mail.keys()) == FIELDS


@given(subjects.filter(lambda text: text.isprintable()))
def test_a_senders_name_comes_out_as_it_went_in(name: str) -> None:
    line = mailbox_field("From", name, "orders@acme.example")

    assert read_mailbox(line.removeprefix("From: ").replace("\r\n", "")) == (name, "orders@acme.example")
    if len(name.encode()) <= WORD_BYTES:  # this parser keeps the space between two encoded words, and one of two spaces
        header = cast(AddressHeader, email.message_from_string(f"{line}\r\n\r\n", policy=email.policy.default)["From"])
        (address,) = header.addresses
        assert (address.display_name.split(), address.addr_spec) == (name.split(), "orders@acme.example")


@given(text=bodies, html=bodies, subject=subjects)
def test_every_mail_can_pass_any_server(text: str, html: str, subject: str) -> None:
    octets = write(text=text, html=html, subject=subject).content

    assert octets.isascii()
    assert octets.endswith(b"\r\n")
    assert re.search(rb"\r(?!\n)|(?<!\r)\n|[^\t\r\n -~]", octets) is None
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    head = octets.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78
    assert b"\r\n \r\n" not in head


@given(bodies, bodies, subjects)
def test_it_says_what_django_would_say(text: str, html: str, subject: str) -> None:
    """Other backends get the same mail from Django's classes, as far as those are exact."""
    message = Message(id=ID, channel="email", address="ada@example.com", subject=subject, body=text or "x", html=html)
    theirs = compose(message, SENDER)
    mail = parse(write(text=message.body, html=html, subject=subject))

    assert {name: mail[name] for name in theirs.extra_headers} == theirs.extra_headers
    assert (mail["From"], mail["To"], mail["Subject"]) == (theirs.from_email, theirs.to[0], theirs.subject)
    assert [part.get_content_type() for part in mail.walk()][-1] == ("text/html" if html else "text/plain")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Plain, short, with\na tab:\t.\n", "7bit"),
        ("x" * 998 + "\n" + "y" * 998, "7bit"),
        ("x" * 999, "quoted-printable"),
        ("Grüße an Ada, mit freundlicher Empfehlung", "quoted-printable"),
        ("a\x00b and some more words to make it long", "quoted-printable"),
        ("--=_ looks like a boundary, and is a long line", "quoted-printable"),
        ("漢字かな交じり文", "base64"),
    ],
)
def test_a_text_is_encoded_only_when_it_must_be(text: str, encoding: str) -> None:
    assert parse(write(text=text))["Content-Transfer-Encoding"] == encoding


@pytest.mark.parametrize("field", ["subject", "text", "html"])
def test_what_no_mail_can_carry_is_refused(field: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        write(**{field: "half a \ud83c character"})


def test_a_long_subject_in_ascii_stays_legible() -> None:
    subject = "Your order of two teapots, one sugar bowl and a cosy has left our house this morning " * 2

    assert text_field("Subject", subject.strip()).replace("\r\n", "") == f"Subject: {subject.strip()}"


def test_a_domain_beyond_ascii_is_written_in_punycode() -> None:
    letter = Letterhead("Büro <orders@bücher.example>").write(ID, to="ada@straße.example", subject="", text="")
    mail = parse(letter)

    assert (letter.sender, letter.recipient) == ("orders@xn--bcher-kva.example", "ada@strasse.example")
    assert (mail["From"], mail["To"]) == ("Büro <orders@xn--bcher-kva.example>", "ada@strasse.example")
    assert letter.message_id == f"{ID}@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.example", ("", "a@b.example")),
        ("Shop <a@b.example>", ("Shop", "a@b.example")),
        ('"Shop, Inc." <a@b.example>', ("Shop, Inc.", "a@b.example")),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?= <a@b.example>", ("Grüße", "a@b.example")),
        ("nobody", ("", "nobody")),
    ],
)
def test_a_mailbox_has_a_name_and_an_address(text: str, expected: tuple[str, str]) -> None:
    assert read_mailbox(text) == expected


@pytest.mark.parametrize(
    "sender",
    ["", "nobody", "A\r\nBcc: x@y.example <a@b.example>", "a@b.example\n", "ü@b.example", "A\x00 <a@b.example>"],
)
def test_nobody_sends_as_what_is_no_mailbox(sender: str) -> None:
    with pytest.raises(ValueError, match=r"looks like|ascii"):
        Letterhead(sender)


def test_two_mails_of_one_notification_have_the_same_identity() -> None:
    first, second, other = (LETTERHEAD.write(i, to="a@b.example", subject="", text="") for i in (ID, ID, uuid.uuid4()))

    assert first.message_id == second.message_id == f"{ID}@acme.example" != other.message_id
