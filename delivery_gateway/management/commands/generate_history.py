"""`manage.py generate_history`"""

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from delivery_gateway import history
from delivery_gateway.history import Past
from tenants.services import register


class Command(BaseCommand):
    help = "Fills the ledger with a past that never was, to see what size costs: new tenants, finished notifications."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rows", type=int, default=1_000_000, help="notifications (default 1,000,000)")
        parser.add_argument("--tenants", type=int, default=10, help="the first has half of the rows (default 10)")
        parser.add_argument("--days", type=int, default=90, help="how far back they go (default 90)")
        parser.add_argument("--yes", action="store_true", help="also where DEBUG is off")

    def handle(self, *args: Any, rows: int, tenants: int, days: int, yes: bool, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("This needs PostgreSQL, which makes the rows itself.")
        if not settings.DEBUG and not yes:
            raise CommandError("DEBUG is off, so this may be production. Add --yes if these rows may stay in it.")
        if min(rows, tenants, days) < 1:
            raise CommandError("--rows, --tenants and --days are 1 or more.")
        now, began = timezone.now(), time.monotonic()
        ids = [register(f"History {n + 1}", f"history-{n + 1}@example.com").tenant.id for n in range(tenants)]
        past = Past(rows=rows, tenants=ids, first=now - timedelta(days=days), last=now)
        for done in history.generate(past):
            rate = done / (time.monotonic() - began)
            self.stdout.write(f"\r{done:,} of {rows:,} ({rate:,.0f}/s)", ending="")
            self.stdout.flush()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE delivery_gateway_notificationlog, delivery_gateway_attempt")
        self.stdout.write(f"\n{rows:,} notifications of {tenants} new tenants; the first is {ids[0]}.")
