"""Templates by people who mean harm, on each way they can come in: saved, previewed, and sent."""

import resource
import time
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from dev.waiting import wait_until
from notification_processor.renderer_pool import POOL
from tenants.services import Registration
from tests.conftest import client_with
from tests.notification_processor.renderer.hostile_templates import CORPUS, DATA

SECONDS = 1.5  # whatever the template does, and whatever else the machine has to do
MEMORY = 256 * 1024  # KB
GROWTH = 16 * 1024  # KB that this process may grow by over all of a category
ADDRESS = "a@example.com"
SECRETS = ("django-insecure", "SECRET_KEY=", "DATABASE_URL", "PATH=", "<module", "<class", "<function", ".py", "/usr/")


@pytest.fixture
def api(acme: Registration) -> APIClient:
    return client_with(acme.test_api_key)


def test_corpus_is_large():
    assert len({text for texts in CORPUS.values() for text in texts}) >= 150


def is_harmless(answer):
    shown = answer.content.decode()
    return answer.status_code in (*range(500), 503) and not any(secret in shown for secret in SECRETS)


def ways_in(api, text):
    """Saved, shown if it was saved, and sent as it is."""
    words = {"name": "evil", "channel": "email", "body": text, "html": text}
    saved = yield from answers(api, "/v1/templates/", words)
    if saved.status_code == 201:
        template = f"/v1/templates/{saved.json()['id']}/"
        yield from answers(api, f"{template}preview/", {"data": DATA})
        api.delete(template)
    yield from answers(api, "/v1/notify/", {"channel": "email", "to": ADDRESS, "body": text, "data": DATA})


def answers(api, path, body):
    """Each with the seconds it took. Where the machine has too much to do a client is asked to come again, and does."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        began = time.perf_counter()
        answer = api.post(path, body)
        yield answer, time.perf_counter() - began
        if answer.status_code != 503:
            return answer
    raise AssertionError("asked to come again for 20 s")


def memory_of_renderers():
    """KB that each of this process's renderers has ever held."""
    pids = [place.renderer().pid for place in POOL._places if place._renderer]
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return [int(line.split()[1]) for line in lines if line.startswith(("VmHWM", "VmPeak"))]


def is_well(api):
    answer = api.post(
        "/v1/notify/", {"channel": "email", "to": ADDRESS, "body": "{{ a|upper }}", "data": {"a": "fine"}}
    )
    return answer.status_code == 202


@pytest.mark.timeout(180)
@pytest.mark.parametrize("category", CORPUS)
def test_hostile_template_hurts_nobody(api, category):
    assert is_well(api)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    faults: list[tuple[object, ...]] = []
    for text in CORPUS[category]:
        for answer, took in ways_in(api, text):
            if not is_harmless(answer) or took > SECONDS:
                faults.append((text[:80], answer.status_code, round(took, 2), answer.content[:200]))
        if any(held > MEMORY for held in memory_of_renderers()):
            faults.append((text[:80], "memory"))
    assert faults == []
    assert wait_until(lambda: is_well(api), seconds=20)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH
