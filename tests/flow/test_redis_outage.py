"""Redis gone under load, and back: intake goes on at its usual speed, and everything is delivered without a restart."""

import time
from collections.abc import Iterator

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from tests.flow.load import NOW, Door, all_statuses, p99, posts, slowest, under_load
from tests.flow.own_valkey import OwnValkey, black_hole, own_valkey
from tests.flow.stack import stack, wait_until

DOWN_SECONDS = 4.0
CLIENTS = 4
SLOW = 0.5  # seconds

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def valkey(tmp_path) -> Iterator[OwnValkey]:
    with own_valkey(tmp_path) as own:
        yield own


def clients(base: str, key: str) -> list[Door]:
    return [Door(base, key) for _ in range(CLIENTS)]


def sent() -> int:
    return NotificationLog.objects.filter(status="sent").count()


def test_redis_killed_under_load_slows_nobody_and_all_is_delivered_after_its_return(acme, valkey, tmp_path):
    limits = {"API_RATE_LIMIT": "1000000/m", "RECIPIENT_RATE_LIMIT": "1000000/m"}
    with stack(tmp_path, **valkey.settings, **limits) as running:
        base = running.web()
        running.worker()
        running.dispatcher()
        Door(base, acme.test_api_key).post_until(NOW)
        wait_until(sent, what="the first delivery")

        valkey.kill()
        doors = under_load(clients(base, acme.test_api_key), seconds=DOWN_SECONDS)
        valkey.start()
        back_at = time.monotonic()
        accepted = 1 + posts(doors)
        wait_until(lambda: sent() == accepted, seconds=60, what="delivery after Redis came back")

        print(f"{accepted} accepted, p99 {p99(doors):.3f} s, delivered {time.monotonic() - back_at:.1f} s after")
        before = sent()
        Door(base, acme.test_api_key).post_until(NOW)
        wait_until(lambda: sent() > before, seconds=5, what="business as usual")

    assert accepted > 100
    assert all_statuses(doors) == {202}
    assert p99(doors) < SLOW


def test_redis_that_never_answers_holds_no_request_up(acme, tmp_path):
    with (
        black_hole() as url,
        stack(tmp_path, REDIS_URL=url, CELERY_BROKER_URL=url, API_RATE_LIMIT="1000/m") as running,
    ):
        doors = under_load(clients(running.web(), acme.test_api_key), seconds=DOWN_SECONDS)

    print(f"{posts(doors)} accepted, p99 {p99(doors):.3f} s")
    assert all_statuses(doors) == {202}
    assert slowest(doors) < SLOW
