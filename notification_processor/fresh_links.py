"""Mails customers a fresh link to their preference page, because they asked for it: one an hour at most."""

from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.models import NotificationLog
from notification_processor import direct
from notification_processor.direct import DirectSend
from traffic_control.ids import derived_uuid7, uuid7_at
from user_preferences.models import Customer
from user_preferences.pages.fresh_links import Letter


def post(customer: Customer, letter: Letter) -> None:
    """The id of the row is that of this customer's letter of this hour, so there is one, also without Redis.

    It counts as critical: neither quiet hours nor what they declined hold back what they have just asked for. Raises
    Problem 429 `backlog_full`.
    """
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    row_id = derived_uuid7(uuid7_at(hour), "preference link", str(customer.pk))
    if NotificationLog.objects.filter(tenant_id=customer.tenant_id, pk=row_id).exists():
        return
    wanted = DirectSend(
        channel="email", user_id=customer.user_id, subject=letter.subject, body=letter.body, is_critical=True
    )
    ready = direct.make_ready(customer.tenant, "live", wanted)
    with transaction.atomic():
        ledger.open_rows([replace(ready.new, id=row_id)], may_exist=True)
