"""The made-up past that pages are timed over: it fits the tables, and every page of the list opens over it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from bench.growth import PAGES
from bench.growth_pages import Console, paths
from bench.growth_past import surround
from delivery_gateway import history
from delivery_gateway.history import Past
from delivery_gateway.models import MinuteCount, NotificationLog
from tenants.services import register
from user_preferences.models import Customer, Preference

ROWS = 2_000

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="it is made by PostgreSQL")


def test_every_page_opens_over_the_made_up_past(db: None) -> None:
    now = timezone.now()
    tenants = [register(f"T{n}", f"t{n}@example.com").tenant.id for n in range(2)]
    past = Past(rows=ROWS, tenants=tenants, first=now - timedelta(days=90), last=now - timedelta(minutes=10))
    for _ in history.generate(past):
        pass
    surround(tenants, rows=ROWS)
    middle = NotificationLog.objects.filter(tenant=tenants[0], status="sent").order_by("id")[ROWS // 4]
    console, asked = Console(), paths(middle)

    assert asked.keys() == PAGES.keys()
    for path in asked.values():
        console.look(path)
    assert (Customer.objects.count(), Preference.objects.exists(), MinuteCount.objects.exists()) == (200, True, True)
