"""Catches what the product sends while you develop: a mail server and a webhook receiver, with a page to see it on.

`POST` anywhere is caught and answered like the provider would; `GET /` is the page, `GET /messages` the same as JSON
(newest first, `?to=` and `?limit=`), `DELETE /messages` forgets. The last 500 are kept, in memory.
"""

import argparse
import itertools
import json
import re
import signal
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dev.catcher_page import page
from dev.ports import HOST

KEPT = 500
MAX_BODY = 4 * 1024 * 1024
TELEGRAM = re.compile(r"/bot[^/]+/send\w+$")


@dataclass(frozen=True, kw_only=True)
class Caught:
    """One mail or one webhook call."""

    id: int
    kind: str
    to: str
    title: str
    text: str
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    caught_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


class Basket:
    """The last few things caught; safe to use from any thread."""

    def __init__(self) -> None:
        self._caught: deque[Caught] = deque(maxlen=KEPT)
        self._ids = itertools.count(1)
        self._turn = threading.Lock()

    def add(self, **what: str | dict[str, str]) -> Caught:
        with self._turn:
            self._caught.appendleft(Caught(id=next(self._ids), **what))  # type: ignore[arg-type]
            return self._caught[0]

    def newest_first(self, *, to: str = "", limit: int = KEPT) -> list[Caught]:
        with self._turn:
            found = [caught for caught in self._caught if to in caught.to]
        return found[:limit]

    def clear(self) -> None:
        with self._turn:
            self._caught.clear()


class MailHandler:
    """What aiosmtpd calls for each message."""

    def __init__(self, basket: Basket) -> None:
        self.basket = basket

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.basket.add(
            kind="mail",
            to=", ".join(envelope.rcpt_tos),
            title=str(mail["Subject"] or "(no subject)"),
            text=part(mail, "plain"),
            html=part(mail, "html"),
            headers={name: str(value) for name, value in mail.items()},
        )
        return "250 Caught"


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    return str(body.get_content()) if body else ""


class HookHandler(BaseHTTPRequestHandler):
    """POST is caught; GET shows."""

    protocol_version = "HTTP/1.1"
    basket: Basket

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > MAX_BODY:
            self.close_connection = True
            return self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large")
        body = self.rfile.read(size).decode(errors="replace")
        kind = kind_of(self.path)
        caught = self.basket.add(
            kind=kind, to=self.path, title=title_of(body), text=pretty(body), headers=dict(self.headers)
        )
        return self.answer(HTTPStatus.OK, *reply_to(kind, caught.id))

    do_PUT = do_POST  # noqa: N815
    do_PATCH = do_POST  # noqa: N815

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/":
            return self.answer(HTTPStatus.OK, page([asdict(one) for one in self.basket.newest_first()]), "text/html")
        if url.path == "/messages":
            found = self.basket.newest_first(to=query.get("to", ""), limit=int(query.get("limit", KEPT)))
            return self.answer(HTTPStatus.OK, json.dumps([asdict(one) for one in found]), "application/json")
        return self.answer(HTTPStatus.NOT_FOUND, "Only / and /messages can be read; POST anything anywhere.")

    def do_DELETE(self) -> None:
        self.basket.clear()
        self.answer(HTTPStatus.OK, "forgotten")

    def answer(self, status: HTTPStatus, body: str, content_type: str = "text/plain") -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the page shows what came in."""


def kind_of(path: str) -> str:
    """Whose call this looks like, by its path."""
    if TELEGRAM.search(urlsplit(path).path):
        return "telegram"
    return next(
        (name for name in ("slack", "teams") if name in path.lower()), "slack" if "/services/" in path else "webhook"
    )


def reply_to(kind: str, message_id: int) -> tuple[str, str]:
    """The provider's way of saying yes, with its content type."""
    if kind == "telegram":
        return json.dumps({"ok": True, "result": {"message_id": message_id}}), "application/json"
    return "ok", "text/plain"


def title_of(body: str) -> str:
    """The first line of text in a JSON body, wherever this provider puts it."""
    found = re.search(r'"(?:text|summary|title|type)"\s*:\s*("(?:[^"\\]|\\.)*")', body)
    text = str(json.loads(found.group(1), strict=False)) if found else body
    return text.strip().partition("\n")[0][:120] or "(empty)"


def pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


@contextmanager
def catcher(*, smtp_port: int, http_port: int) -> Iterator[Basket]:
    """Both servers, for as long as the context lasts."""
    basket = Basket()
    with hook_server(basket, http_port), mail_server(basket, smtp_port):
        yield basket


@contextmanager
def mail_server(basket: Basket, port: int) -> Iterator[None]:
    controller = Controller(MailHandler(basket), hostname=HOST, port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@contextmanager
def hook_server(basket: Basket, port: int) -> Iterator[None]:
    handler = type("Hooks", (HookHandler,), {"basket": basket})
    with ThreadingHTTPServer((HOST, port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    ports = parser.parse_args()
    with catcher(smtp_port=ports.smtp_port, http_port=ports.http_port):
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
