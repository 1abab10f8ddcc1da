"""Renderers beside the product's own processes: whose they are, what they see, and that they end with their parents."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from tests.conftest import client_with
from tests.flow.stack import stack, wait_until
from tests.flow.test_door import ask

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(180),
]
CANARY = "canary-of-the-environment"
LIVE = "{% for n in range(40) %}{{ word|upper }} {{ n }} {% endfor %}"
EVENTS = 1_500  # three of the router's batches, so that it asks for help


@pytest.fixture
def running(acme, tmp_path):
    with stack(tmp_path, SOME_CREDENTIAL=CANARY) as started:
        yield started


@pytest.fixture
def api(acme):
    client = client_with(acme.test_api_key)
    client.post("/v1/templates/", {"name": "order", "channel": "in_app", "body": LIVE})
    client.post("/v1/workflows/", {"event_type": "order", "channels": ["in_app"], "template": "order"})
    return client


def accept(api, count):
    """Written down, to be rendered by the workers."""
    event = {"event_type": "order", "recipients": [{"user_id": "ann"}]}
    for start in range(0, count, 500):
        events = [event | {"payload": {"word": f"w{n}"}} for n in range(start, min(start + 500, count))]
        assert api.post("/api/events/batch/", {"events": events}).status_code in (200, 202, 207)


def parent_of(pid):
    """None for a process that has ended."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:2]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else int(parent)


def renderers_of(process):
    """By pid: the parent, which is the process itself or one of its children."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    parents = {pid: parent_of(pid) or 0 for pid in pids}
    found = {}
    for pid in filter(is_renderer, pids):
        parent = parents[pid]
        grandparent = parents.get(parent, 0)
        if process.pid in (parent, grandparent, parents.get(grandparent)):
            found[pid] = parent
    return found


def is_renderer(pid):
    try:
        return b"renderer/__main__.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def are_gone(pids):
    return lambda: not any(parent_of(pid) and is_renderer(pid) for pid in pids)


def all_are_sent(count):
    return lambda: NotificationLog.objects.filter(status="sent").count() == count


def render_at_the_door(running, key):
    """The web process, with a renderer at least."""
    base = running.web().removeprefix("http://")
    message = b'{"channel": "email", "to": "a@example.com", "body": "{{ a|upper }}", "data": {"a": "b"}}'
    assert ask(base, message, key=key)[0] == 202
    return running.running["web"]


def test_each_child_of_a_worker_has_renderers_of_its_own(api, running):
    worker = running.worker(concurrency=2)
    running.dispatcher()
    seen = {}
    for _ in range(20):  # until both children have had something to render
        sent = NotificationLog.objects.count()
        accept(api, EVENTS)
        wait_until(all_are_sent(sent + EVENTS), seconds=60, what="delivery")
        seen = renderers_of(worker)
        if len(set(seen.values())) == 2:
            break

    assert len(set(seen.values())) == 2
    assert worker.pid not in seen.values()  # the process that forks has none, so no two share one
    assert max(Counter(seen.values()).values()) <= 2
    assert set(NotificationLog.objects.values_list("status", flat=True)) == {"sent"}


def test_renderer_of_a_worker_sees_nothing_of_the_environment(acme, api, running):
    worker = running.worker(concurrency=1)
    running.dispatcher()
    accept(api, 1)
    wait_until(all_are_sent(1), seconds=60, what="delivery")
    web = render_at_the_door(running, acme.test_api_key)

    for process in (worker, web):
        assert CANARY.encode() in Path(f"/proc/{process.pid}/environ").read_bytes()
        seen = renderers_of(process)
        assert seen
        for pid in seen:
            assert set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")) <= {b"", b"LC_CTYPE=C.UTF-8"}
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert [line.split()[-3:-1] for line in limits.splitlines() if "Max open files" in line] == [["0", "0"]]


def test_renderers_killed_in_the_middle_of_a_batch_lose_nothing(api, running):
    worker = running.worker(concurrency=1)
    accept(api, EVENTS)
    running.dispatcher()
    killed: set[int] = set()
    while len(killed) < 5 and not all_are_sent(EVENTS)():
        for pid in renderers_of(worker).keys() - killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)

    wait_until(all_are_sent(EVENTS), seconds=60, what="delivery")

    assert len(killed) >= 2
    assert Counter(NotificationLog.objects.values_list("status", flat=True)) == {"sent": EVENTS}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_renderers_end_with_their_parents(acme, api, running, end):
    worker = running.worker(concurrency=1)
    running.dispatcher()
    accept(api, 1)
    wait_until(all_are_sent(1), seconds=60, what="delivery")
    web = render_at_the_door(running, acme.test_api_key)
    pids = [*renderers_of(worker), *renderers_of(web)]
    assert len(pids) >= 2

    for process in (worker, web):
        os.killpg(process.pid, end)  # renderers are in sessions of their own: only their parents hear of it

    wait_until(are_gone(pids), seconds=20, what="the renderers' end")
