"""Rows opened one at a time: whatever is written into the statement, the row is the same."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from delivery_gateway import ledger
from delivery_gateway.ledger import LEDGER, NewNotification, open_one
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from traffic_control.insertion import Insertion

NOW = datetime(2026, 5, 1, tzinfo=UTC)
USUAL: dict[str, Any] = {
    "channel": "email",
    "to": "ann@example.com",
    "status": Status.QUEUED,
    "subject": "Hi",
    "body": "it's 100 %s",
}
UNUSUAL: dict[str, Any] = {
    "mode": "test", "event_id": uuid.uuid4(), "event_type": "a", "user_id": "u1", "customer_id": uuid.uuid4(),
    "html": "<b>", "payload": {"a": 1}, "category": "news", "is_critical": True, "reason": "r", "detail": "d",
    "due_at": NOW, "expires_at": NOW, "routed_at": NOW, "priority": 1, "template_name": "t", "template_version": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", ["", *UNUSUAL])
def test_row_is_what_was_asked_for_with_any_field_set(db, monkeypatch, name):
    given = USUAL | ({name: UNUSUAL[name]} if name else {})
    new = NewNotification(tenant_id=uuid.uuid4(), created_at=NOW, **given)
    monkeypatch.setattr(ledger, "wake", lambda stage: None)

    assert open_one(new)

    expected = NotificationLog(**ledger._values(new))
    stored = NotificationLog.objects.get(id=new.id)
    assert {f.attname: getattr(stored, f.attname) for f in NotificationLog._meta.concrete_fields} == {
        f.attname: getattr(expected, f.attname) for f in NotificationLog._meta.concrete_fields
    }


def test_usual_row_binds_only_what_varies(db):
    new = NewNotification(tenant_id=uuid.uuid4(), created_at=NOW, **USUAL)

    counts = []

    def count(execute, sql, params, many, context):
        counts.append(len(params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        LEDGER.insert(ledger._values(new))
        Insertion(NotificationLog).insert(ledger._values(new) | {"id": uuid.uuid4()})

    assert counts == [12, 29]
