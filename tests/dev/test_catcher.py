import json
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from http.client import HTTPConnection

import pytest

from dev.catcher import KEPT, Basket, catcher
from dev.ports import HOST, free_port


@dataclass(frozen=True)
class Running:
    smtp_port: int
    http_port: int
    basket: Basket

    def call(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        connection = HTTPConnection(HOST, self.http_port, timeout=5)
        connection.request(method, path, json.dumps(body) if body else None)
        with connection.getresponse() as answer:
            content = answer.read().decode()
        connection.close()
        return answer.status, content


@pytest.fixture
def running() -> Iterator[Running]:
    smtp_port, http_port = free_port(), free_port()
    with catcher(smtp_port=smtp_port, http_port=http_port) as basket:
        yield Running(smtp_port, http_port, basket)


def send_mail(running: Running) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Ihre Bestellung für Ann", "shop@example.com", "ann@example.com"
    mail.set_content("Grüße")
    mail.add_alternative("<p>Grüße</p>", subtype="html")
    with smtplib.SMTP(HOST, running.smtp_port) as server:
        server.send_message(mail)


def test_catcher_keeps_a_mail_readable(running: Running) -> None:
    send_mail(running)

    status, found = running.call("GET", "/messages?to=ann@")

    assert status == 200
    [mail] = json.loads(found)
    assert (mail["kind"], mail["to"], mail["title"]) == ("mail", "ann@example.com", "Ihre Bestellung für Ann")
    assert (mail["text"].strip(), mail["html"].strip()) == ("Grüße", "<p>Grüße</p>")


@pytest.mark.parametrize(
    ("path", "kind", "reply"),
    [
        ("/services/T0/B0/x", "slack", "ok"),
        ("/bot1:caught/sendMessage", "telegram", '{"ok": true, "result": {"message_id": 1}}'),
        ("/teams/workflow", "teams", "ok"),
        ("/any/where", "webhook", "ok"),
    ],
)
def test_catcher_answers_a_hook_as_its_provider(running: Running, path: str, kind: str, reply: str) -> None:
    assert running.call("POST", path, {"text": "Order 7\nthanks"}) == (200, reply)

    [hook] = running.basket.newest_first()
    assert (hook.kind, hook.to, hook.title) == (kind, path, "Order 7")


def test_page_shows_what_was_caught_as_text(running: Running) -> None:
    send_mail(running)
    running.call("POST", "/hook", {"text": "<script>alert(1)</script>"})

    status, page = running.call("GET", "/")

    assert status == 200
    assert "Ihre Bestellung für Ann" in page
    assert "<script>alert" not in page


def test_delete_forgets_everything(running: Running) -> None:
    running.call("POST", "/hook", {"text": "x"})

    running.call("DELETE", "/messages")

    assert running.call("GET", "/messages") == (200, "[]")


def test_basket_keeps_the_last_ones_only() -> None:
    basket = Basket()

    for number in range(KEPT + 3):
        basket.add(kind="webhook", to="/", title=str(number), text="")

    kept = basket.newest_first()
    assert (len(kept), kept[0].title, kept[-1].title) == (KEPT, str(KEPT + 2), "3")
