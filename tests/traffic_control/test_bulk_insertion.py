"""Rows come out of the database as they went in, by COPY as by INSERT."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from delivery_gateway.models import NotificationLog
from traffic_control.bulk_insertion import WORTH_COPYING, insert_columns
from traffic_control.ids import uuid7
from traffic_control.scope import EVERYBODY, Scope, within

TENANT = uuid7()
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
TEXTS = [
    "", "\\N", "\\", "\\\\n", "a\tb",
    "a\nb\r\nc\r", "\\.", "\v\f\b", '"quoted", {braced}', "żółw 🐢", "%s %(x)s", "NULL", "\u2028",
]  # fmt: skip
PAYLOADS: list[Any] = [None, {}, [], "text\\n", {"a": [1, 2.5, None, True, "x\ty\\z"]}, 10**30, {"ünï": "\u2028"}]

pytestmark = pytest.mark.django_db


def columns_of(count, **given):
    fixed = {"tenant_id": TENANT, "channel": "email", "lane": "email", "created_at": NOW}
    return {"id": [uuid7() for _ in range(count)], **{name: [value] * count for name, value in fixed.items()}, **given}


@pytest.fixture(params=[EVERYBODY, Scope(TENANT)], ids=["pipeline", "request"])
def insert(request):
    """By COPY, and in the tenant's scope, where PostgreSQL has none."""

    def inserted(*args, **kwargs):
        with within(request.param):
            insert_columns(*args, **kwargs)

    return inserted


def stored(name):
    return list(NotificationLog.objects.order_by("id").values_list(name, flat=True))


@pytest.mark.parametrize("count", [3, WORTH_COPYING * 3], ids=["few", "many"])
def test_texts_and_json_come_back_as_they_were(insert, count):
    texts = [TEXTS[n % len(TEXTS)] for n in range(count)]
    payloads = [json.loads(json.dumps(PAYLOADS[n % len(PAYLOADS)])) for n in range(count)]

    insert(NotificationLog, columns_of(count, body=texts, payload=payloads))

    assert (stored("body"), stored("payload")) == (texts, payloads)


def test_every_kind_of_column_and_the_defaults_come_back(insert):
    count = WORTH_COPYING
    customers = [uuid7() if n % 2 else None for n in range(count)]
    given = {"customer_id": customers, "is_critical": [n % 3 == 0 for n in range(count)], "rank": list(range(count))}

    insert(NotificationLog, columns_of(count, **given))

    assert {name: stored(name) for name in given} == given
    row = NotificationLog.objects.order_by("id")[0]
    assert (row.created_at, row.status, row.attempts, row.due_at, row.template_version) == (
        NOW,
        "pending",
        0,
        None,
        None,
    )


@pytest.mark.parametrize("count", [3, WORTH_COPYING], ids=["few", "many"])
def test_row_that_exists_is_left_as_it_is(insert, count):
    columns = columns_of(count, subject=["first"] * count)
    insert(NotificationLog, {name: values[:2] for name, values in columns.items()})

    insert(NotificationLog, columns | {"subject": ["second"] * count})

    assert stored("subject") == ["first"] * 2 + ["second"] * (count - 2)


def test_row_that_comes_twice_is_stored_once(insert):
    count = WORTH_COPYING
    columns = columns_of(count)
    columns["id"][-1] = columns["id"][0]

    insert(NotificationLog, columns)

    assert NotificationLog.objects.count() == count - 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no COPY")
def test_id_that_was_promised_to_be_new_and_is_not_raises(insert):
    columns = columns_of(WORTH_COPYING)
    insert(NotificationLog, columns, may_exist=False)

    with pytest.raises(IntegrityError), transaction.atomic():
        insert(NotificationLog, columns, may_exist=False)
