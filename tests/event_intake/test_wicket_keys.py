"""Idempotency-Keys through the small door or past it: the same answers and rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Flag

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notification_processor.models import MessageTemplate
from tenants import idempotency
from tenants.models import IdempotencyRecord
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
