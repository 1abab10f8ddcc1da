"""Idempotency-Keys through the small door or past it: the same answers and rows."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from threading import Event as Flag

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from notification_processor import remembered_templates
from notification_processor.models import Event, MessageTemplate
from tenants import idempotency
from tenants.models import IdempotencyRecord
from tenants.services import register
from tests.event_intake.conftest import EVENTS, FROM_TEMPLATE, MAIL, ONLY_ONCE, PLACED, Call, open_shop, went_through

NEEDS_WRITERS = pytest.mark.skipif(connection.vendor == "sqlite", reason="the test database is one connection")
K1, K2 = {"HTTP_IDEMPOTENCY_KEY": "k-1"}, {"HTTP_IDEMPOTENCY_KEY": '"k-2"'}
KEYED = {
    "new": [Call(body=MAIL, meta=K1), Call(body=FROM_TEMPLATE, meta=K2), Call(EVENTS, PLACED, meta=K1)],
    "sent twice": [Call(body=MAIL, meta=K1)] * 2 + [Call(EVENTS, PLACED, meta=K1)] * 2,
    "other body": [Call(body=MAIL, meta=K1), Call(body=MAIL | {"body": "other"}, meta=K1)],
    "other tenant's words": [Call(body=MAIL, meta=K1, key="test"), Call(body=MAIL, meta=K1)],
    "bad after good": [Call(body=MAIL, meta=K1), Call(body=FROM_TEMPLATE | {"template": "nothing"}, meta=K1)],
    "good after bad": [Call(body=FROM_TEMPLATE | {"data": {}}, meta=K1), Call(body=FROM_TEMPLATE, meta=K1)],
    "unknown customer": [Call(body={"channel": "in_app", "user_id": "u9", "body": "Hi"}, meta=K1)],
    "malformed": [Call(body=MAIL, meta={"HTTP_IDEMPOTENCY_KEY": key}) for key in ("", '""', "a b", "x" * 256)],
    "of the event as well": [Call(EVENTS, ONLY_ONCE, meta=K1), Call(EVENTS, ONLY_ONCE, meta=K2)],
}


@pytest.mark.parametrize("name", KEYED)
def test_keys_are_honoured_as_the_view_would(both, name):
    here, there, answers = both(KEYED[name])

    assert here == there
    if name == "new":
        assert [went_through(answer) for answer in answers] == [connection.vendor == "postgresql"] * 3


@NEEDS_WRITERS
@pytest.mark.parametrize("call", [Call(body=MAIL, meta=K1), Call(EVENTS, PLACED, meta=K1)], ids=["notify", "events"])
def test_twin_under_way_is_told_to_come_back(transactional_db, monkeypatch, call):
    monkeypatch.setattr(idempotency, "WAIT_FOR_TWIN", 1)
    shop, is_claimed, may_end = open_shop("Acme"), Flag(), Flag()
    claim = idempotency.Claim(shop.acme.tenant, f"POST {call.path}", "k-1", "fingerprint")

    def first_request() -> None:
        with transaction.atomic():
            idempotency.take(claim)
            is_claimed.set()
            may_end.wait(10)
            transaction.set_rollback(True)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(first_request)
        is_claimed.wait(10)
        refused = shop.send(call)
        may_end.set()
        running.result()
    again = shop.send(call)

    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (
        409,
        "idempotency_key_in_progress",
        "1",
    )
    assert (again.status_code, "Idempotent-Replayed" in again) == (202, False)


@NEEDS_WRITERS
@pytest.mark.parametrize(("path", "body", "model"), [("/v1/notify/", MAIL, NotificationLog), (EVENTS, PLACED, Event)])
def test_twenty_clients_with_two_bodies_at_once_are_accepted_once(transactional_db, path, body, model):
    shop, all_ready = open_shop("Acme"), Barrier(20)
    bodies = [body | {"priority": priority} for priority in ("normal", "high")]

    def send(number: int) -> tuple[int, bool, bytes]:
        all_ready.wait(30)
        try:
            answer = shop.send(Call(path, bodies[number % 2], meta=K1))
        finally:
            connection.close()
        return answer.status_code, "Idempotent-Replayed" in answer, answer.content

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    accepted = [answer for answer in answers if answer[0] == 202]
    assert {status for status, _, _ in answers} <= {202, 409, 422}
    assert [is_replayed for _, is_replayed, _ in accepted].count(False) == 1
    assert len({content for _, _, content in accepted}) == 1
    assert (model.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)


@NEEDS_WRITERS
def test_row_that_the_database_refuses_leaves_no_key_behind(transactional_db):
    acme, now = register("Acme", "ops@acme.test"), timezone.now()
    claim = idempotency.Claim(acme.tenant, "POST /v1/notify/", "k-1", "fingerprint")
    record = idempotency.record_of(claim, status=202, body=b"{}", location="")
    wrong = NewNotification(  # scheduled for no time
        tenant_id=acme.tenant.id,
        created_at=now,
        channel="email",
        to="ann@example.com",
        body="Hi",
        status=Status.SCHEDULED,
    )

    with pytest.raises(IntegrityError):
        ledger.open_one(wrong, entry=record)

    assert not IdempotencyRecord.objects.exists()
    assert ledger.open_one(dataclasses.replace(wrong, due_at=now), entry=record)
    assert not ledger.open_one(dataclasses.replace(wrong, due_at=now), entry=record)
    assert (NotificationLog.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)


def test_key_that_has_expired_is_taken_over_with_its_answer(both, settings):
    first = both([Call(body=MAIL, meta=K1)])
    past = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS, seconds=1)
    IdempotencyRecord.objects.update(created_at=past)

    here, there, answers = both([Call(body=MAIL | {"body": "new"}, meta=K1)] * 2)

    assert here == there
    assert answers[0].content == answers[1].content != first[2][0].content
    assert ["Idempotent-Replayed" in answer for answer in answers] == [False, True]


def test_template_that_changed_meanwhile_leaves_no_key_behind(both):
    """What this process remembers of the template is wrong: the statement stores neither of its rows."""
    both([Call(body=FROM_TEMPLATE)])
    MessageTemplate.objects.update(current_id=None)

    here, there, answers = both([Call(body=FROM_TEMPLATE, meta=K1)])

    assert here == there
    assert answers[0].status_code != 202
    assert not IdempotencyRecord.objects.exists()


def test_key_that_was_used_before_does_not_forget_the_template(db):
    shop, call = open_shop("Acme"), Call(body=FROM_TEMPLATE, meta=K1)

    answers = [shop.send(call) for call in (Call(body=FROM_TEMPLATE), call, call)]

    assert ["Idempotent-Replayed" in answer for answer in answers] == [False, False, True]
    source, still_the_one = remembered_templates.find(shop.acme.tenant.id, "order", "email", locale="")
    assert (source.name, still_the_one is not None) == ("order", True)
