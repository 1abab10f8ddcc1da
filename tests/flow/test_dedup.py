"""A workflow's `dedup_key`: the same thing said twice is heard once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from notification_processor import deduplication, events, generation, routing, workflows
from notification_processor.events import NewEvent
from notification_processor.models import Event, SeenKey

WORKFLOW = {"event_type": "PAID", "channels": ["email"], "dedup_key": "order.id", "dedup_window": 3600}


@pytest.fixture
def api(sandbox):
    for user_id in ("ann", "bob"):
        sandbox.post("/api/v1/customers/", {"user_id": user_id, "email": f"{user_id}@example.com"})
    assert sandbox.post("/v1/workflows/", WORKFLOW).status_code == 201
    return sandbox


def paid(api, order_id=7, **fields):
    body = {"event_type": "PAID", "user_id": "ann", "payload": {"order": {"id": order_id}, "at": "now"}} | fields
    return api.post("/api/events/", body).json()


def logs_of(api, event):
    return {row["channel"]: row for row in api.get(event["links"]["notifications"]).json()["data"]}


def status_of(api, event):
    (row,) = logs_of(api, event).values()
    return row["status"]


def test_second_event_of_a_key_is_a_duplicate_of_the_first(api):
    first, again = paid(api), paid(api)

    row = logs_of(api, again)["email"]
    assert status_of(api, first) == "sent"
    assert (row["status"], row["reason"]) == ("suppressed", "duplicate")
    story = api.get(f"/v1/notifications/{row['id']}/").json()
    assert story["detail"].startswith(f"Event {first['id']} told this customer of it at 20")
    assert [step["what"] for step in story["timeline"]] == ["accepted", "suppressed"]
    assert api.get(again["links"]["self"]).json()["counts"] == {"suppressed": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"payload": {"order": {"id": 8}}},
        {"payload": {"order": {"id": "7"}}},
        {"user_id": "bob"},
        {"event_type": "REFUNDED"},
    ],
    ids=str,
)
def test_event_of_another_key_customer_or_type_is_no_duplicate(api, other):
    paid(api)

    assert status_of(api, paid(api, channels=["email"], **other)) == "sent"


@pytest.mark.parametrize("payload", [{"order": {}}, {"order": {"id": None}}, {"order": 7}, {}], ids=str)
def test_event_without_the_key_is_never_a_duplicate(api, payload):
    assert [status_of(api, paid(api, payload=payload)) for _ in range(2)] == ["sent", "sent"]


def test_key_is_free_again_after_its_window(api):
    paid(api)
    SeenKey.objects.update(seen_at=timezone.now() - timedelta(hours=2), expires_at=timezone.now() - timedelta(hours=1))

    second, third = paid(api), paid(api)

    assert (status_of(api, second), status_of(api, third)) == ("sent", "suppressed")
    assert SeenKey.objects.count() == 1


def test_key_of_several_paths_is_all_their_values(api):
    workflow = api.get("/v1/workflows/?event_type=PAID").json()["data"][0]
    api.patch(f"/v1/workflows/{workflow['id']}/", {"dedup_key": ["order.id", "kind"]})
    payloads = [{"order": {"id": 7}, "kind": kind} for kind in ("full", "part", "full")]

    rows = [logs_of(api, paid(api, payload=payload))["email"]["status"] for payload in payloads]

    assert rows == ["sent", "sent", "suppressed"]


def test_event_on_several_channels_holds_its_key_once(api):
    workflow = api.get("/v1/workflows/?event_type=PAID").json()["data"][0]
    api.patch(f"/v1/workflows/{workflow['id']}/", {"channels": ["email", "in_app"]})

    first, again = paid(api), paid(api)

    assert {c: row["status"] for c, row in logs_of(api, first).items()} == {"email": "sent", "in_app": "sent"}
    assert {row["reason"] for row in logs_of(api, again).values()} == {"duplicate"}


def test_event_that_nobody_hears_holds_no_key(api):
    api.put("/v1/preferences/ann/", {"channels": {"email": False}})
    refused = paid(api)
    api.put("/v1/preferences/ann/", {"channels": {"email": True}})

    assert (status_of(api, refused), status_of(api, paid(api))) == ("suppressed", "sent")


def test_test_events_hold_no_keys_of_live_ones(api, acme):
    paid(api)
    accepted = NewEvent(event_type="PAID", recipients=("ann",), payload={"order": {"id": 7}})

    (live,) = events.accept(acme.tenant, "live", [accepted])

    assert not NotificationLog.objects.filter(event_id=live.event.id, reason="duplicate").exists()


def test_events_routed_together_are_told_apart_by_when_they_were_due(acme, db):
    """A backlog: nine events of one key came over three hours, and the router sees them all at once."""
    new = NewEvent(event_type="PAID", recipients=("ann",), payload={"order": {"id": 7}})
    plan = {"dedup": {"workflow": str(acme.tenant.id), "paths": ["order.id"], "window": 3600}}
    began = timezone.now()
    found = [result.event for result in events.accept(acme.tenant, "test", [new] * 9)]
    for position, event in enumerate(found):
        event.plan, event.due_at = plan, began + timedelta(minutes=20 * position)

    repeats = deduplication.duplicates((event, acme.tenant.id) for event in found)

    assert [position for position, e in enumerate(found) if (e.id, acme.tenant.id) not in repeats] == [0, 3, 6]
    assert str(found[3].id) in repeats[found[5].id, acme.tenant.id]


def test_keys_whose_window_is_over_are_forgotten(api):
    paid(api)

    assert deduplication.purge(before=timezone.now()) == 0
    assert deduplication.purge(before=timezone.now() + timedelta(hours=2)) == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite belongs to one thread")
@pytest.mark.parametrize("is_lapsed", [False, True], ids=["new key", "key whose window is over"])
def test_routers_at_work_on_one_key_at_once_send_it_once(acme, monkeypatch, is_lapsed):
    """Every router gets one event, so they meet at the key and nowhere else."""
    make_workflow(acme.tenant)
    if is_lapsed:
        plan_events(acme.tenant, 1)
        route_all()
        SeenKey.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    plan_events(acme.tenant, 24)
    monkeypatch.setattr(routing, "BATCH", 1)
    before = set(NotificationLog.objects.values_list("id", flat=True))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: route_all(), range(8)))

    rows = NotificationLog.objects.exclude(id__in=before).values_list("user_id", "status", "reason")
    assert set(Event.objects.values_list("state", flat=True)) == {"completed"}
    assert sorted(row for row in rows if row[2] != "duplicate") == [("ann", "queued", ""), ("bob", "queued", "")]
    assert rows.filter(reason="duplicate", status="suppressed").count() == 46
    assert SeenKey.objects.count() == 2


def make_workflow(tenant):
    fields = {"event_type": "PAID", "channels": ["in_app"], "dedup_key": ["order.id"], "dedup_window": 60}
    workflows.create(tenant, fields)


def plan_events(tenant, count):
    new = NewEvent(event_type="PAID", recipients=("ann", "bob"), payload={"order": {"id": 7}})
    events.accept(tenant, "test", [new] * count)
    generation.generate(now=timezone.now())


def route_all():
    try:
        while routing.route(now=timezone.now()):
            pass
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"dedup_key": "order.id"}, "#/dedup_window"),
        ({"dedup_window": 60}, "#/dedup_key"),
        ({"dedup_key": "order..id", "dedup_window": 60}, "#/dedup_key/0"),
        ({"dedup_key": ["a", ""], "dedup_window": 60}, "#/dedup_key/1"),
        ({"dedup_key": ["a", "b", "c", "d", "e", "f"], "dedup_window": 60}, "#/dedup_key"),
        ({"dedup_key": 7, "dedup_window": 60}, "#/dedup_key"),
        ({"dedup_key": "a", "dedup_window": 0}, "#/dedup_window"),
        ({"dedup_key": "a", "dedup_window": 2_592_001}, "#/dedup_window"),
    ],
)
def test_workflow_with_half_or_wrong_deduplication_is_refused(sandbox, fields, pointer):
    answer = sandbox.post("/v1/workflows/", {"event_type": "PAID"} | fields)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_workflow_shows_and_loses_its_deduplication(api):
    workflow = api.get("/v1/workflows/?event_type=PAID").json()["data"][0]
    path = f"/v1/workflows/{workflow['id']}/"
    assert (workflow["dedup_key"], workflow["dedup_window"]) == (["order.id"], 3600)

    patched = api.patch(path, {"dedup_window": 60}).json()
    replaced = api.put(path, {"event_type": "PAID", "channels": ["email"]}).json()

    assert (patched["dedup_key"], patched["dedup_window"]) == (["order.id"], 60)
    assert (replaced["dedup_key"], replaced["dedup_window"]) == ([], None)
    assert (status_of(api, paid(api)), status_of(api, paid(api))) == ("sent", "sent")
