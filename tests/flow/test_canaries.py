"""Secrets of every kind, each with a value of its own, go through a whole product: what works, what fails, what breaks.

Afterwards none of them stands in a log, in Redis or in what was ever said to it, in metrics, in an API's answer, on a
page of the console, in a journal, or in the database outside of what is encrypted.
"""

import base64
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from standardwebhooks import Webhook

from delivery_gateway.models import NotificationLog
from tenants.models import Integration
from tests.flow.own_valkey import OwnValkey, own_valkey
from tests.flow.places import console_pages, contents, found_in, kept_in_redis, logs, tables_with, watching
from tests.flow.scrape import TOKEN, ask
from tests.flow.stack import Stack, stack, wait_until
from tests.peers.slack import SlackPeer
from tests.peers.smtp import SmtpPeer
from tests.peers.telegram import TelegramPeer
from tests.peers.webhook import WebhookPeer

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="processes beside the test need PostgreSQL"),
    pytest.mark.timeout(180),
]
SUBJECT = "c4n4ry-subject"  # no secret: it shows that there is something to find
HOOK = "/services/T0000/B0000/c4n4ry-hook-0123456789"
DONE = ("sent", "failed", "held", "bounced", "suppressed")
FAULTS = (  # what the four peers do, in turns: taken, failing, breaking off, refusing the credentials
    ("ok", "ok"),
    ("dot:451 4.3.0 try again later", "500"),
    ("mail:drop", "reset"),
    ("auth:535 5.7.8 wrong password", "401"),
)


def signing_secret(name: str) -> str:
    """As Standard Webhooks write it, and to be recognised."""
    return "whsec_" + base64.b64encode(sha256(name.encode()).digest()).decode()


def install_secrets() -> dict[str, str]:
    """Of the operator."""
    return {
        "SECRET_KEY": f"c4n4ry-secret-key-{secrets.token_hex(20)}",
        "API_KEY_PEPPER": f"c4n4ry-pepper-{secrets.token_hex(20)}",
        "CREDENTIALS_KEYS": "k1:" + base64.b64encode(sha256(b"c4n4ry-vault").digest()).decode(),
        "EMAIL_HOST_PASSWORD": "c4n4ry-platform-mail-password",
        "TELEGRAM_BOT_TOKEN": "123456:c4n4ry-platform-bot-token-AAE",
        "METRICS_TOKEN": TOKEN + "-c4n4ry-metrics-token",
    }


@dataclass
class Shop:
    """A tenant that talks to the product, and remembers every answer."""

    web: str
    planted: dict[str, str]
    key: str = ""
    answers: list[str] = field(default_factory=list)

    def call(self, path: str, body: Any = None, *, key: str | None = None, keep: bool = True, **how: Any) -> Any:
        status, text = ask(f"{self.web}{path}", key=self.key if key is None else key, body=body, **how)
        if keep:
            self.answers.append(text)
        assert status != 500, text
        return json.loads(text) if text.startswith(("{", "[")) else text

    def register(self) -> None:
        """What is shown here is shown once."""
        made = self.call("/v1/tenants/register/", {"name": "Shop", "email": "ops@shop.test"}, keep=False)
        self.key = made["api_key"]
        another = self.call("/v1/api-keys/", {"name": "Next", "scopes": ["send"]}, keep=False)["api_key"]
        for name, raw in (("api key", self.key), ("test key", made["test_api_key"]), ("second key", another)):
            self.planted[name] = raw.split("_", 3)[3]
        self.planted["first webhook secret"] = made["webhook_secret"].removeprefix("whsec_")
        self.planted["inbox secret"] = self.call("/v1/inbox-secrets/", {}, keep=False)["secret"]

    def integrate(self, channel: str, *, provider: str = "", **config: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.call("/v1/integrations/", {"channel": channel, "config": config})
        assert "id" in made, made
        return made

    def send(self, channel: str, **fields: Any) -> None:
        made = self.call("/v1/notify/", {"channel": channel, "subject": SUBJECT, "body": "Hello"} | fields)
        assert "id" in made, made


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    folder = tmp_path / "valkey"
    folder.mkdir()
    with own_valkey(folder) as own:
        yield own


@dataclass
class Providers:
    mail: SmtpPeer
    slack: SlackPeer
    telegram: TelegramPeer
    webhook: WebhookPeer

    def always(self, mail: str, web: str) -> None:
        self.mail.always(mail)
        for peer in (self.slack, self.telegram, self.webhook):
            peer.always(web)


@pytest.fixture
def providers(slack_peer, telegram_peer, webhook_peer) -> Iterator[Providers]:
    slack_peer.path = HOOK
    telegram_peer.token = "654321:c4n4ry-shop-bot-token-BBF"
    webhook_peer.secret = signing_secret("c4n4ry-webhook")
    users = {"platform": "c4n4ry-platform-mail-password", "shop": "c4n4ry-shop-mail-password"}
    with SmtpPeer(users=users) as mail:
        yield Providers(mail, slack_peer, telegram_peer, webhook_peer)


@pytest.fixture
def planted(settings) -> dict[str, str]:
    """By name; this process takes the same keys, as it shows the console."""
    own = install_secrets()
    settings.SECRET_KEY, settings.API_KEY_PEPPER = own["SECRET_KEY"], own["API_KEY_PEPPER"]
    settings.CREDENTIALS_KEYS = [own["CREDENTIALS_KEYS"]]
    return own


@pytest.fixture
def running(transactional_db, planted, valkey: OwnValkey, providers: Providers, tmp_path: Path) -> Iterator[Stack]:
    settings = planted | valkey.settings | {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(providers.mail.port),
        "EMAIL_HOST_USER": "platform",
        "EMAIL_USE_TLS": "0",
        "TELEGRAM_BASE_URL": providers.telegram.base_url,
        "PUBLIC_URL": "https://shop.test",
        "RETRY_SCHEDULE": "0.1,0.1",
        "LOG_LEVEL": "DEBUG",
    }  # fmt: skip
    with stack(tmp_path, **settings) as processes:
        yield processes


def integrate_all(shop: Shop, providers: Providers) -> dict[str, str]:
    """The callback URL of each, by channel. Their secrets are planted."""
    called_back = {"callback_secret": signing_secret("c4n4ry-callback")}
    header = "X-Token: c4n4ry-header-value"
    shop.planted |= {
        "mail password": "c4n4ry-shop-mail-password",
        "slack hook": HOOK.rpartition("/")[2],
        "bot token": providers.telegram.token,
        "webhook secret": providers.webhook.secret.removeprefix("whsec_"),
        "webhook header": "c4n4ry-header-value",
        "callback secret": called_back["callback_secret"].removeprefix("whsec_"),
    }
    login: dict[str, Any] = {"host": "127.0.0.1", "port": providers.mail.port, "username": "shop"}
    made = {
        "email": shop.integrate("email", password="c4n4ry-shop-mail-password", **login, **called_back),
        "slack": shop.integrate("slack", url=providers.slack.url),
        "telegram": shop.integrate("telegram", bot_token=providers.telegram.token, chat_id="4711"),
        "webhook": shop.integrate("webhook", secret=providers.webhook.secret, headers=header),
    }
    shop.call(
        "/api/v1/customers/", {"user_id": "ann", "name": "Ann"}
    )  # who has no address: the integrations' own count
    shop.planted["callback token"] = made["email"]["callback_url"].split("/")[-2]
    return {channel: one["id"] for channel, one in made.items()}


def send_to_all(shop: Shop, providers: Providers) -> None:
    shop.send("email", to="ann@example.com", category="news")
    shop.send("slack", user_id="ann")
    shop.send("telegram", user_id="ann")
    shop.send("webhook", to=providers.webhook.url)


def has_tried_all() -> bool:
    """What a circuit holds back has no further try for now."""
    waiting = NotificationLog.objects.exclude(status__in=DONE).exclude(status="scheduled", reason__startswith="circuit")
    return not waiting.exists()


def ask_for_trouble(shop: Shop, providers: Providers, ids: dict[str, str]) -> None:
    """Requests that are refused, and that have secrets where none belong."""
    raw, mail = shop.key, {"channel": "email", "to": "ann@example.com", "body": "Hello"}
    for key in (f"{raw}x", raw[:-1], f" {raw} {raw}", "sk_live_c4n4ry"):
        shop.call("/v1/notify/", mail, key=key)
    shop.call(f"/v1/notifications/?api_key={raw}")
    shop.call("/v1/notify/", mail | {"api_key": raw})
    shop.call("/v1/notify/", mail | {"channel": raw})
    for channel, config in (
        ("telegram", {"bot_token": f"{providers.telegram.token} with blanks"}),
        ("telegram", {"token": providers.telegram.token}),
        ("slack", {"url": f"ftp://127.0.0.1{HOOK}"}),
        ("email", {"host": "127.0.0.1", "password": {"is": "c4n4ry-shop-mail-password"}}),
        ("webhook", {"headers": {"X-Token": "c4n4ry-header-value"}}),
        ("webhook", {"headers": "X-Token = c4n4ry-header-value"}),
        ("webhook", {"secret": f"{providers.webhook.secret}!"}),
    ):
        refused = shop.call("/v1/integrations/", {"channel": channel, "config": config})
        assert refused.get("status") == 400, (channel, refused)
    for channel, to in (("email", "me@example.com"), ("slack", None), ("telegram", "4711")):
        shop.call(f"/v1/integrations/{ids[channel]}/test/", {"to": to} if to else {})


def call_back(shop: Shop) -> None:
    """As its provider would, and as somebody else would."""
    row = NotificationLog.objects.filter(channel="email", status="sent").first()
    news = json.dumps({"type": "notification.bounced", "data": {"id": str(row.id if row else ""), "permanent": True}})
    path = f"/v1/callbacks/{shop.planted['callback token']}/"
    webhook = Webhook(f"whsec_{shop.planted['callback secret']}")
    signed = {"webhook-id": "m-1", "webhook-timestamp": str(int(time.time()))}
    signature = webhook.sign("m-1", datetime.now(UTC), news)
    for given in (signature, "v1,AAAA", signature[:-8]):
        shop.call(path, json.loads(news), key="", headers=signed | {"webhook-signature": given})
    shop.call(f"{path[:-3]}xx/", json.loads(news), key="")


def unsubscribe(shop: Shop, providers: Providers) -> None:
    header = providers.mail.received[0].message["List-Unsubscribe"]
    path = re.search(r"https://shop\.test(/u/[^>]+)", header or "")
    assert path, header
    shop.planted["unsubscribe token"] = path[1].removeprefix("/u/")
    for asked in (path[1], f"{path[1][:-2]}xx"):
        for method in ("GET", "POST"):
            ask(f"{shop.web}{asked}", method=method)  # its page holds the form that posts to it


def break_one(ids: dict[str, str]) -> None:
    """Nothing opens it: whoever sends through it meets an exception."""
    Integration.objects.filter(pk=ids["slack"]).update(sealed="k1:" + base64.b64encode(os.urandom(80)).decode())


def look_at_everything(shop: Shop) -> None:
    for path in ("tenants/me", "api-keys", "integrations", "audit", "circuits", "dead-letters", "notifications"):
        for row in shop.call(f"/v1/{path}/").get("data", []):
            if path in ("api-keys", "integrations", "dead-letters", "notifications"):
                shop.call(f"/v1/{path}/{row['id']}/")
    for path in ("/health/", "/admin/", "/docs/errors/", "/api/schema/", "/v1/nothing/"):
        shop.call(path)


def test_no_secret_is_found_anywhere(running: Stack, planted, valkey: OwnValkey, providers, tmp_path: Path):
    url = valkey.settings["REDIS_URL"]
    with watching(url, tmp_path / "journal") as watcher:
        shop = Shop(running.web(), planted)
        running.worker()
        running.dispatcher()
        shop.register()
        shop.send("email", to="first@example.com")  # by the operator's own account
        shop.send("telegram", to="4712")
        wait_until(has_tried_all, what="the first sends")
        ids = integrate_all(shop, providers)
        for mail, web in FAULTS:
            providers.always(mail, web)
            send_to_all(shop, providers)
            wait_until(has_tried_all, seconds=40, what=f"sends while peers say {web}")
        ask_for_trouble(shop, providers, ids)
        call_back(shop)
        unsubscribe(shop, providers)
        providers.always("ok", "ok")
        break_one(ids)
        send_to_all(shop, providers)
        wait_until(has_tried_all, seconds=40, what="the last sends")
        look_at_everything(shop)
        metrics = ask(f"{shop.web}/metrics/", token=planted["METRICS_TOKEN"])
        running.kill("worker")  # its journal stays

    superuser = Client()
    superuser.force_login(User.objects.create_superuser("root", password="correct horse battery"))
    told_by_design = {"callback token"}  # to whoever may see the integration: it has to be copied from there
    hidden = {name: secret for name, secret in planted.items() if name not in told_by_design}
    found = {
        "logs": {file: names for file, text in logs(tmp_path) if (names := found_in(text, planted))},
        "Redis": found_in(b"\n".join(kept_in_redis(url)), planted),
        "what Redis was told": found_in(b"\n".join(watcher.told), planted),
        "metrics": found_in(metrics[1].encode(), planted),
        "answers": sorted({name for text in shop.answers for name in found_in(text.encode(), hidden)}),
        "console": {page: names for page, text in console_pages(superuser) if (names := found_in(text, hidden))},
        "journals": found_in(b"\n".join({*watcher.written, *contents(tmp_path / "journal")}), planted),
        "database": {name: tables for name, secret in planted.items() if (tables := tables_with(secret))},
    }

    assert {place: names for place, names in found.items() if names} == {}
    assert len(planted) == 19
    assert {*NotificationLog.objects.values_list("status", flat=True)} >= {"sent", "failed"}
    assert metrics[0] == 200
    assert len(providers.mail.received) >= 2


def test_what_is_no_secret_is_found(running: Stack, planted, valkey: OwnValkey, tmp_path: Path):
    """Or else the search above would look where nothing is."""
    with watching(valkey.settings["REDIS_URL"], tmp_path / "journal") as watcher:
        shop = Shop(running.web(), planted)
        running.worker()
        running.dispatcher()
        shop.register()
        shop.send("email", to="first@example.com")
        wait_until(has_tried_all, what="the send")
        wait_until(lambda: watcher.written, what="a journal")

    assert "delivery_gateway_notificationlog" in " ".join(tables_with(SUBJECT))
    assert any(b"deliver.email" in told for told in watcher.told), watcher.told[:20]
    assert {file for file, text in logs(tmp_path) if text} >= {"web.log", "worker.log"}
