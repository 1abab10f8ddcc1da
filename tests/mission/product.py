"""The running product, met only over HTTP: web, worker and dispatcher on a database and a key space of their own."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request, urlopen

import psycopg2

from tests.flow.stack import Stack, stack, wait_until
from tests.peers.http_server import HttpPeer
from tests.peers.slack import SlackPeer
from tests.peers.smtp import SmtpPeer
from tests.peers.teams import TeamsPeer
from tests.peers.telegram import TOKEN, TelegramPeer
from tests.peers.webhook import WebhookPeer

ROOT = Path(__file__).resolve().parents[2]
FINAL = {"sent", "delivered", "bounced", "suppressed", "held", "failed", "cancelled", "expired"}
DEFAULT_CHAT = "99"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any


@dataclass(frozen=True)
class Api:
    """A tenant's client."""

    url: str
    key: str = ""

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = json.dumps(body).encode() if body is not None else None
        request = Request(self.url + path, data=data, method=method)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Type": "application/json", "X-API-KEY": self.key} | named).items():
            if value:
                request.add_header(name, value)
        try:
            with urlopen(request, timeout=30) as reply:
                return Answer(reply.status, _read(reply), reply.headers)
        except HTTPError as error:
            return Answer(error.code, _read(error), error.headers)

    def settled(self, event_id: str, count: int) -> dict[str, Any]:
        """The notifications of an event by channel, once there are `count` and all are final."""

        def look() -> list[Any] | None:
            rows = self("GET", f"/v1/notifications/?event_id={event_id}").body["data"]
            return rows if len(rows) == count and all(r["status"] in FINAL for r in rows) else None

        return {row["channel"]: row for row in wait_until(look, seconds=20, what=f"{count} settled notifications")}

    def settled_one(self, notification_id: str) -> dict[str, Any]:
        def look() -> Any:
            row = self("GET", f"/v1/notifications/{notification_id}/").body
            return row if row["status"] in FINAL else None

        found: dict[str, Any] = wait_until(look, seconds=20, what="the end of a notification")
        return found


def _read(reply: Any) -> Any:
    raw = reply.read()
    return json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode()


@dataclass
class Product:
    """One install, its providers, and one tenant."""

    url: str
    stack: Stack
    smtp: SmtpPeer
    slack: SlackPeer
    teams: TeamsPeer
    telegram: TelegramPeer
    webhook: WebhookPeer
    live: Api
    sandbox: Api

    @property
    def anyone(self) -> Api:
        return Api(self.url)

    def tenant(self) -> tuple[Api, Api]:
        """A new tenant's live and test clients."""
        name = f"Tenant {uuid.uuid4().hex[:8]}"
        answer = self.anyone("POST", "/v1/tenants/register/", {"name": name, "email": "ops@example.com"})
        assert answer.status == 201, answer.body
        return Api(self.url, answer.body["api_key"]), Api(self.url, answer.body["test_api_key"])

    def log(self, name: str) -> str:
        return (self.stack.log_folder / f"{name}.log").read_text()

    def manage(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return manage(self.stack.env | settings, *arguments)


def manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


@contextmanager
def product(folder: Path, **extra: str) -> Iterator[Product]:
    with ExitStack() as up:
        smtp: SmtpPeer = up.enter_context(SmtpPeer())
        slack, teams, telegram, webhook = (up.enter_context(peer()) for peer in _peers())
        settings = {
            "DATABASE_URL": up.enter_context(database()),
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(smtp.port),
            "TELEGRAM_BASE_URL": telegram.base_url,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_CHAT_ID": DEFAULT_CHAT,
            "RETRY_SCHEDULE": "0.5,0.5",
            "RECIPIENT_RATE_LIMIT": "20/m",
            "METRICS_TOKEN": "mission-metrics",
        }
        running = up.enter_context(stack(folder, **settings | extra))
        migrated = manage(running.env, "migrate", "-v0")
        assert migrated.returncode == 0, migrated.stderr
        running.worker()
        running.dispatcher()
        url = running.web()
        made = Product(url, running, smtp, slack, teams, telegram, webhook, Api(url), Api(url))
        made.live, made.sandbox = made.tenant()
        yield made


def _peers() -> tuple[Callable[[], Any], ...]:
    kinds: tuple[type[HttpPeer], ...] = (SlackPeer, TeamsPeer, TelegramPeer, WebhookPeer)
    return kinds


@contextmanager
def database() -> Iterator[str]:
    """A database of its own on the server that DATABASE_URL names."""
    server = os.environ["DATABASE_URL"]
    name = f"mission_{uuid.uuid4().hex[:8]}"
    _on(server, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        _on(server, f"DROP DATABASE {name} WITH (FORCE)")


def _on(server: str, statement: str) -> None:
    connection = psycopg2.connect(server)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
