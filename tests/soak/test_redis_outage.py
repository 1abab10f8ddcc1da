"""A minute without Redis under constant load: intake does not notice, and all arrives soon after Redis is back."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from delivery_gateway.models import NotificationLog
from tenants.services import Registration
from tests.flow.load import NOW, Door, Message, all_statuses, p99, posts, slowest, under_steady_load
from tests.flow.own_valkey import OwnValkey, own_valkey
from tests.flow.scrape import TOKEN, Scrape
from tests.flow.stack import Stack, stack, wait_until
from tests.peers.webhook import WebhookPeer

CLIENTS, RATE = 8, 50.0  # posts a second
SLOW = 0.5  # seconds
BACK_TO_NORMAL = 60.0  # seconds
LIMIT = "600/m"  # a fifth of the load: whatever is let through beyond it is let through unchecked
WARNING = "redis is away"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    with own_valkey(tmp_path) as own:
        yield own


@pytest.fixture
def receiver(acme: Registration, webhook_peer: WebhookPeer) -> WebhookPeer:
    webhook_peer.secret = acme.webhook_secret
    return webhook_peer


@pytest.fixture
def running(
    acme: Registration, valkey: OwnValkey, receiver: WebhookPeer, tmp_path: Path
) -> Iterator[tuple[Stack, str]]:
    """All processes, and the base URL, once a first message has made its way."""
    with stack(tmp_path, **valkey.settings, API_RATE_LIMIT=LIMIT, METRICS_TOKEN=TOKEN) as processes:
        base = processes.web()
        processes.worker()
        processes.dispatcher()
        Door(base, acme.api_key, to(receiver)).post_until(NOW)
        wait_until(lambda: sent() == 1, what="the first delivery")
        yield processes, base


def to(receiver: WebhookPeer) -> Callable[[], Message]:
    return lambda: {"channel": "webhook", "to": receiver.url, "body": "Hello"}


def sent() -> int:
    return NotificationLog.objects.filter(status="sent").count()


def test_redis_killed_for_a_minute_comes_back_empty_and_nobody_has_noticed(acme, valkey, receiver, running):
    live_through(acme, receiver, running, take=valkey.kill, give_back=valkey.start, seconds=60.0)


def test_redis_frozen_for_a_while_comes_back_as_it_was_and_nobody_has_noticed(acme, valkey, receiver, running):
    live_through(acme, receiver, running, take=valkey.freeze, give_back=valkey.thaw, seconds=20.0)


def live_through(
    acme: Registration,
    receiver: WebhookPeer,
    running: tuple[Stack, str],
    *,
    take: Callable[[], None],
    give_back: Callable[[], None],
    seconds: float,
) -> None:
    processes, base = running
    take()
    doors = [Door(base, acme.api_key, to(receiver)) for _ in range(CLIENTS)]
    under_steady_load(doors, rate=RATE, seconds=seconds)
    warnings = (processes.log_folder / "web.log").read_text().count(WARNING)
    arrived_meanwhile = len(receiver.accepted) - 1
    give_back()
    back_at = time.monotonic()
    accepted = 1 + posts(doors)
    wait_until(lambda: sent() == accepted, seconds=BACK_TO_NORMAL, what="delivery after Redis came back")
    delivered_in = time.monotonic() - back_at
    unchecked = wait_until(lambda: Scrape(base)("rate_limit_failed_open_total"), what="the count of the unchecked")
    print(
        f"\n{seconds:.0f} s without Redis: {posts(doors)} accepted, {posts(doors) / seconds:.0f} a second,"
        f" p99 {p99(doors) * 1000:.0f} ms, slowest {slowest(doors) * 1000:.0f} ms, {unchecked:.0f} unchecked,"
        f" {warnings} warning; {arrived_meanwhile} delivered meanwhile, all {delivered_in:.1f} s after its return"
    )

    assert all_statuses(doors) == {202}
    assert p99(doors) < SLOW
    assert warnings == 1
    assert unchecked >= posts(doors)
    assert len(receiver.accepted) == accepted
    assert {process.poll() for process in processes.running.values()} == {None}, "a process ended"
