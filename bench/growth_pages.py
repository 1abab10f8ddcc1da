"""The console's pages, opened as a superuser opens them: how long the whole answer takes, and how many queries.

Django has to be set up before this is imported.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.states import Status
from monitoring.models import AuditEntry

LEDGER, LETTERS = "delivery_gateway/notificationlog", "delivery_gateway/deadletter"
CUSTOMERS, EVENTS, AUDIT = "user_preferences/customer", "notification_processor/event", "monitoring/auditentry"
PREFERENCES = "user_preferences/preference"


def paths(row: NotificationLog) -> Mapping[str, str]:
    """By the words of `bench.growth.PAGES`. `row`: from the middle of the time of the tenant with half of all."""
    letter = DeadLetter.objects.filter(tenant_id=row.tenant_id, id__lt=row.id).order_by("-id")[0]
    deed = AuditEntry.objects.filter(id__lt=row.id).order_by("-id")[0]
    tenant = f"tenant={row.tenant_id}"
    asked = {
        "dashboard": "",
        "dashboard_week": "?range=7d",
        "messages": f"{LEDGER}/",
        "messages_deep": f"{LEDGER}/?before={row.id}",
        "messages_failed": f"{LEDGER}/?{tenant}&status={Status.FAILED}",
        "messages_none": f"{LEDGER}/?channel=teams",
        "messages_of_user": f"{LEDGER}/?q={row.user_id}",
        "messages_to": f"{LEDGER}/?q=nobody@example.com",
        "message_by_id": f"{LEDGER}/?q={row.id}",
        "message": f"{LEDGER}/{row.id}/change/",
        "letters": f"{LETTERS}/",
        "letters_waiting": f"{LETTERS}/?{tenant}&replayed_at_is_set=no",
        "letters_deep": f"{LETTERS}/?before={letter.id}",
        "letter_by_message": f"{LETTERS}/?q={letter.notification_id}",
        "causes": f"{LETTERS}/causes/",
        "customers": f"{CUSTOMERS}/",
        "customer": f"{CUSTOMERS}/?q={row.user_id}",
        "preferences": f"{PREFERENCES}/",
        "preferences_of": f"{PREFERENCES}/?q={row.user_id}",
        "events": f"{EVENTS}/",
        "events_deep": f"{EVENTS}/?before={row.id}",
        "explain": f"{EVENTS}/explain/?user_id={row.user_id}",
        "audit": f"{AUDIT}/",
        "audit_deep": f"{AUDIT}/?before={row.id}",
        "audit_of": f"{AUDIT}/?q={deed.object_id}",
    }
    return {word: f"/admin/{path}" for word, path in asked.items()}


class Console:
    def __init__(self) -> None:
        self.client = Client()
        self.client.force_login(User.objects.create_superuser("operator"))

    def look(self, path: str) -> Any:
        answer = self.client.get(path, SERVER_NAME="localhost")
        assert answer.status_code == HTTPStatus.OK, path
        return answer

    def queries(self, path: str) -> int:
        self.look(path)
        with CaptureQueriesContext(connection) as queries:
            self.look(path)
        return len(queries)
