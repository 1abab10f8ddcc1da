"""A person is erased in the middle of the traffic: nothing names or reaches them afterwards, and others get theirs."""

import json
import re
import threading
from base64 import b64decode
from collections import Counter
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis

from delivery_gateway.models import NotificationLog
from notification_processor.models import Event
from tests.conftest import client_with
from tests.flow.scrape import ask
from tests.flow.stack import stack, wait_until
from tests.peers.smtp import SmtpPeer
from user_preferences.models import Erasure

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL")

CANARY = "canary5e1d"
JANE, BOB = f"{CANARY}@example.com", "bob@example.com"
WORDS = {"subject": f"Dear {CANARY}", "body": f"Hello {CANARY}"}
LATER = "2099-01-01T00:00:00Z"
JANES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/v1/notify/", {"channel": "email", "to": JANE} | WORDS),
    ("/v1/notify/", {"channel": "email", "user_id": CANARY} | WORDS),
    ("/v1/notify/", {"channel": "email", "to": JANE.upper(), "send_at": LATER} | WORDS),
    (
        "/api/events/",
        {"event_type": "A", "user_id": CANARY, "payload": {"mail": JANE}, "channels": ["email", "in_app"]},
    ),
    (
        "/api/events/",
        {"event_type": "B", "recipients": ["bob", CANARY], "payload": {"n": 1}, "channels": ["email"]},
    ),
    ("/api/events/", {"event_type": "C", "user_id": CANARY, "payload": {"mail": JANE}, "send_at": LATER}),
)
BOBS = (
    ("/v1/notify/", {"channel": "email", "to": BOB, "subject": "Hello", "body": "Hello"}),
    ("/api/events/", {"event_type": "D", "user_id": "bob", "payload": {"n": 1}, "channels": ["email"]}),
)


class Traffic(threading.Thread):
    """One request after another until it is told to stop. `accepted`: how many of each path and kind."""

    def __init__(self, url: str, key: str, bodies: Any) -> None:
        super().__init__(daemon=True)
        self.url, self.key, self.bodies = url, key, cycle(bodies)
        self.stopped, self.accepted = threading.Event(), Counter[str]()

    def run(self) -> None:
        while not self.stopped.is_set():
            path, body = next(self.bodies)
            status, _ = ask(self.url + path, key=self.key, body=body)
            self.accepted[body.get("event_type", "notify")] += status == 202

    def stop(self) -> None:
        self.stopped.set()
        self.join(10)


@pytest.fixture
def running(acme, smtp_peer, tmp_path):
    mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(smtp_peer.port), "EMAIL_USE_TLS": "0"}
    backend = {"EMAIL_BACKEND": "delivery_gateway.channels.smtp.SmtpBackend", "RETRY_SCHEDULE": "1,1,1,1,1"}
    with stack(tmp_path, **mail, **backend) as started:
        started.dispatcher()
        started.worker()
        yield started


def test_person_is_forgotten_while_messages_flow(acme, running, smtp_peer: SmtpPeer, tmp_path: Path) -> None:
    api = client_with(acme.api_key)
    for user_id, address in ((CANARY, JANE), ("bob", BOB)):
        assert api.post("/api/v1/customers/", {"user_id": user_id, "email": address}).status_code == 201
    client_with(acme.test_api_key).post("/v1/notify/", {"channel": "email", "to": JANE} | WORDS)
    smtp_peer.script(
        *["ok", "ok", "rcpt:451 4.3.0 later", "ok", "ok", "ok", "dot:452 4.3.1 later"] * 100
    )  # some are always on their way
    url = running.web()
    about_jane, about_bob = Traffic(url, acme.api_key, JANES), Traffic(url, acme.api_key, BOBS)
    about_jane.start()
    about_bob.start()
    wait_until(lambda: count_of(smtp_peer, JANE) > 10 and count_of(smtp_peer, BOB) > 10, what="traffic")

    told = api.post("/v1/people/export/", {"user_id": CANARY})
    about_jane.stop()  # what is asked for later is new business with her
    erased = api.post("/v1/people/erase/", {"user_id": CANARY})
    Erasure.objects.update(next_at=timezone.now())  # whatever was under way has ended: that is what it waits for
    wait_until(lambda: api.get(erased["Location"]).json()["status"] == "completed", what="erasing")
    reached = count_of(smtp_peer, JANE)
    known = count_of(smtp_peer, BOB)
    wait_until(lambda: count_of(smtp_peer, BOB) > known + 10, what="further traffic")
    about_bob.stop()
    wait_until(is_all_done, what="an end of the traffic")

    assert (told.status_code, erased.status_code) == (200, 202)
    assert len(told.json()["data"]["notifications"]) > 10
    assert count_of(smtp_peer, JANE) == reached
    assert found_in_tables() == []
    assert found_in_redis() == []
    assert found_in_files(tmp_path) == []
    assert count_of(smtp_peer, BOB) == about_bob.accepted.total() + about_jane.accepted["B"]


def count_of(peer: SmtpPeer, address: str) -> int:
    return sum(address in [to.lower() for to in mail.rcpt_tos] for mail in list(peer.received))


def is_all_done() -> bool:
    waiting = NotificationLog.objects.filter(status__in=("pending", "queued", "sending", "scheduled"))
    due = Event.objects.filter(state__in=("accepted", "generated"), due_at__lte=timezone.now())
    return not waiting.exists() and not due.exists()


def found_in_tables() -> list[Any]:
    rows = ((model._meta.label, row) for model in apps.get_models() for row in model._base_manager.values())
    return [(name, row) for name, row in rows if CANARY in json.dumps(row, default=str).lower()]


def found_in_redis() -> list[bytes]:
    """Keys and values, and what is written in base64 in them, as the bodies of tasks are."""
    redis: Any = Redis.from_url(settings.REDIS_URL)
    kinds = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        b"none": lambda key: None,  # it has expired meanwhile
    }
    return [key for key in redis.scan_iter() if CANARY in readable(f"{key} {kinds[redis.type(key)](key)}").lower()]


def readable(text: str) -> str:
    words = re.findall(r"(?:[A-Za-z0-9+/]{4}){4,}", text)
    return text + " ".join(b64decode(word).decode(errors="replace") for word in words)


def found_in_files(folder: Path) -> list[str]:
    """Journals and logs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in files if path.suffix == ".log"]
    return [path.name for path in files if CANARY.encode() in path.read_bytes().lower()]
