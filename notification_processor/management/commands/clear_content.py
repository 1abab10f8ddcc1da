"""`manage.py clear_content`"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from notification_processor import retention


class Command(BaseCommand):
    help = (
        "Takes addresses and texts out of what is older than CONTENT_DAYS, or than a tenant's own content_days, now "
        "and to the end. The dispatcher does the same in its spare time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CONTENT_DAYS:
            self.stderr.write("CONTENT_DAYS is 0: only tenants who ask for it have anything cleared.")
        self.stdout.write(f"cleared {sum(retention.clear_old(timezone.now())):,} rows")
