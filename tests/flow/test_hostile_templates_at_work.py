"""Hostile templates through the real doors: web and worker in processes of their own, beside a good neighbour."""

import json
import time
from pathlib import Path

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from tenants.services import register
from tests.conftest import client_with
from tests.flow.stack import stack, wait_until
from tests.flow.test_door import ask
from tests.flow.test_renderers import LIVE, renderers_of
from tests.notification_processor.renderer.hostile_templates import CORPUS, DATA

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="processes beside the test need PostgreSQL"),
    pytest.mark.timeout(600),
]
SECONDS = 1.5  # whatever the template does, and whatever else the machine has to do
GROWTH = 48  # MB that web and worker may grow by, as they do under any load
RENDERER = 256  # MB
TEXTS = sorted({text for texts in CORPUS.values() for text in texts})
SOME = sorted({*TEXTS[::8], *(text for texts in CORPUS.values() for text in texts[:2])})  # all of them: make soak
SECRETS = ("insecure", "SECRET_KEY=", "DATABASE_URL", "PATH=", "<module", "<class", "<function", "/usr/")


@pytest.fixture
def running(acme, tmp_path):
    with stack(tmp_path, API_RATE_LIMIT="") as started:
        yield started


class Client:
    """Speaks to the web process, and keeps what was slow or said too much."""

    def __init__(self, base, key):
        self.base, self.key = base.removeprefix("http://"), key
        self.faults, self.slowest = [], 0.0

    def post(self, path, body, *, method="POST"):
        status, until, slowest = 503, time.monotonic() + 20, 0.0
        while status == 503 and time.monotonic() < until:  # a machine that has too much to do asks to come again
            began = time.monotonic()
            status, _, answer = ask(self.base, json.dumps(body).encode(), key=self.key, path=path, method=method)
            slowest = max(slowest, time.monotonic() - began)
        self.slowest = max(self.slowest, slowest)
        shown = json.dumps(answer)
        if status >= 500 or slowest > SECONDS or any(secret in shown for secret in SECRETS):
            self.faults.append((path, body, status, round(slowest, 2), shown[:200]))
        return status, answer


def save(client, name, text):
    """Its preview, too, and an event type that uses it; the id, or nothing if it was refused."""
    status, answer = client.post("/v1/templates/", {"name": name, "channel": "in_app", "body": text})
    if status != 201:
        return ""
    client.post(f"/v1/templates/{answer['id']}/preview/", {"data": DATA})
    client.post("/v1/workflows/", {"event_type": name, "channels": ["in_app"], "template": name})
    return answer["id"]


def resident_mb(process):
    """Of it and its children, but no renderers, nor what is left of one that has been killed."""
    pids, renderers = [process.pid], renderers_of(process)
    for pid in pids:
        pids += [
            int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if int(c) not in renderers
        ]
    held = [Path(f"/proc/{pid}/status").read_text().split("VmRSS:") for pid in pids]
    return sum(int(rest[0].split()[0]) for _, *rest in held if rest) / 1024


def peaks_mb(process):
    return [
        int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
        for pid in renderers_of(process)
    ]


def test_hostile_templates_hurt_neither_processes_nor_neighbours(acme, running):
    strike(acme, running, SOME)


def strike(acme, running, texts):
    """Saved, shown and sent by one tenant, while another one sends on the same processes."""
    innocent = register("Good neighbours", "ops@good.test")
    for one in (acme, innocent):
        client_with(one.test_api_key).get("/v1/templates/")
    base = running.web()
    worker, web = running.worker(concurrency=1), running.running["web"]
    evil, good = Client(base, acme.test_api_key), Client(base, innocent.test_api_key)
    save(good, "order", LIVE)
    save(evil, "first", LIVE)
    running.dispatcher()
    for client, kind in ((good, "order"), (evil, "first")):
        client.post(
            "/api/events/", {"event_type": kind, "recipients": [{"user_id": "ann"}], "payload": DATA | {"word": "x"}}
        )
    wait_until(lambda: NotificationLog.objects.filter(status="sent").count() == 2, seconds=60, what="a first message")
    before = {name: resident_mb(process) for name, process in (("web", web), ("worker", worker))}

    saved = [name for n, text in enumerate(texts) if save(evil, name := f"evil{n}", text)]
    for text in texts:
        evil.post("/v1/notify/", {"channel": "in_app", "user_id": "ann", "body": text, "data": DATA})
    events = [{"event_type": name, "recipients": [{"user_id": "ann"}], "payload": DATA} for name in saved]
    for start in range(0, len(events), 10):  # both tenants' in the same batches of the router
        evil.post("/api/events/batch/", {"events": events[start : start + 10]})
        good.post("/api/events/", {"event_type": "order", "recipients": [{"user_id": "ann"}], "payload": {"word": "x"}})
    sent_by_good = 1 + len(range(0, len(events), 10))

    mine = NotificationLog.objects.filter(tenant=innocent.tenant)
    routed = NotificationLog.objects.filter(tenant=acme.tenant, event_type__startswith="evil")
    wait_until(lambda: mine.filter(status="sent").count() == sent_by_good, seconds=120, what="the neighbour's messages")
    wait_until(lambda: routed.filter(status__in=["sent", "failed"]).count() == len(saved), seconds=240, what="the rest")
    assert (evil.faults, good.faults) == ([], [])
    assert set(routed.filter(status="failed").values_list("reason", flat=True)) == {"template_error"}
    assert not any(secret in body for body in routed.values_list("body", flat=True) for secret in SECRETS)
    assert all(peak <= RENDERER for process in (web, worker) for peak in peaks_mb(process))
    after = {name: resident_mb(process) for name, process in (("web", web), ("worker", worker))}
    print(
        len(texts),
        "texts,",
        len(saved),
        "saved; slowest answer",
        round(evil.slowest, 2),
        "s; resident MB",
        before,
        after,
    )
    assert all(after[name] - before[name] < GROWTH for name in before)
