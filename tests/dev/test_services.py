"""Real servers: each test that needs one starts it on a port of its own, in a temporary folder."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dev.guardian import is_alive
from dev.paths import ROOT
from dev.ports import free_port
from dev.services import Place, addresses, missing, services
from dev.versions import database_version, redis_version
from dev.waiting import wait_until

PARENT = """
import time
from dev.processes import start
print(start("child", ["sleep", "60"]).process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(
        folder=tmp_path,
        ports={"postgres": free_port(), "valkey": free_port()},
        passwords={"POSTGRES_PASSWORD": "p", "VALKEY_PASSWORD": "v"},
        is_durable=False,
    )


def test_services_start_answer_and_stop(place: Place) -> None:
    with services({}, place) as reached:
        with closing(psycopg2.connect(reached.settings["DATABASE_URL"])) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT lower('ÄÖÜ'), current_user")
            assert cursor.fetchone() == ("äöü", "traffic_control")
        with redis.Redis.from_url(reached.settings["CELERY_BROKER_URL"]) as client:
            assert client.set("a", "1")
        assert database_version(reached.settings["DATABASE_URL"]).startswith("PostgreSQL ")
        assert redis_version(reached.settings["REDIS_URL"]).startswith(("Valkey ", "Redis "))

    assert not any(child.is_running() for child in reached.children)


def test_services_ask_for_the_password(place: Place) -> None:
    stranger = redis.Redis(port=place.valkey().port, retry=Retry(NoBackoff(), 0))

    with services({"DATABASE_URL": "sqlite://"}, place), stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


@pytest.mark.parametrize(
    ("given", "started", "settings"),
    [
        ({"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x"}, [], {"CELERY_BROKER_URL": "redis://x"}),
        ({"DATABASE_URL": "postgres://x", "CELERY_BROKER_URL": "redis://x"}, [], {}),
        ({"DATABASE_URL": "postgres://x", "CELERY_BROKER_URL": "amqp://x"}, ["REDIS_URL"], {"REDIS_URL": "ours"}),
    ],
)
def test_missing_is_only_what_is_not_given(
    place: Place, given: dict[str, str], started: list[str], settings: dict[str, str]
) -> None:
    ours = place.valkey().url

    assert [server.setting for server in missing(given, place)] == started
    assert addresses(given, place) == {name: ours if url == "ours" else url for name, url in settings.items()}


def test_processes_end_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        group = int(parent.stdout.readline())
        assert is_alive(group)
        os.kill(parent.pid, signal.SIGKILL)

    assert wait_until(lambda: not is_alive(group), seconds=5)
