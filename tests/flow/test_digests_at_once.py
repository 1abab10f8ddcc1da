"""Two routers let go of what quiet hours held, at the same time."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from delivery_gateway import held
from delivery_gateway.models import NotificationLog
from notification_processor import releasing
from user_preferences.models import Customer

PEOPLE, EACH = 30, 7

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")


@pytest.fixture
def crowd(acme):
    """Who has been quiet until just now; what was held of each."""
    over = timezone.now() - timedelta(seconds=1)
    people = [Customer(tenant=acme.tenant, user_id=f"u{n}", email=f"u{n}@example.com") for n in range(PEOPLE)]
    Customer.objects.bulk_create(people)
    common = {"tenant": acme.tenant, "channel": "email", "lane": "email", "status": "scheduled", "created_at": over}
    NotificationLog.objects.bulk_create(
        NotificationLog(
            **common, reason="quiet_hours", due_at=over, user_id=one.user_id, customer_id=one.id, to=one.email
        )
        for _ in range(EACH)
        for one in people
    )


def in_threads(*calls):
    failures = []

    def guarded(call):
        try:
            call()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_each_recipient_has_one_digest(crowd, monkeypatch):
    monkeypatch.setattr(held, "HEADS", 40)  # several rounds for each
    rows = NotificationLog.objects.filter(status="scheduled")
    stop_at = timezone.now() + timedelta(seconds=45)

    def router():
        while rows.exists() and timezone.now() < stop_at:
            releasing.release(now=timezone.now())

    in_threads(router, router)

    digests = NotificationLog.objects.filter(event_type="quiet_hours_digest")
    assert set(digests.values_list("status", "payload__count")) == {("queued", EACH)}
    assert sorted(digests.values_list("user_id", flat=True)) == sorted(f"u{n}" for n in range(PEOPLE))
    ended = NotificationLog.objects.filter(reason="digested").values_list("provider_message_id", "user_id")
    assert Counter(ended) == {(str(digest.id), digest.user_id): EACH for digest in digests}


def test_group_that_another_router_has_is_left_alone_without_waiting(crowd):
    with transaction.atomic():
        assert len(held.claim(now=timezone.now())) == PEOPLE * EACH
        found = []
        in_threads(lambda: found.append(releasing.release(now=timezone.now())))
    assert found == [False]
    assert not NotificationLog.objects.filter(event_type="quiet_hours_digest").exists()
