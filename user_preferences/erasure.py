"""Erasing a person while everything goes on: the request does what must hold at once, the dispatcher does the rest.

Who the person was is kept sealed until nothing is left to look for, and then forgotten too.
"""

import json
import time
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from tenants import vault
from tenants.models import Tenant
from traffic_control import audit
from traffic_control import people as kept
from user_preferences import customers, people
from user_preferences.models import Erasure

# Requests under way when the customer was removed may still open rows; by then they have ended.
GRACE = timedelta(seconds=10)
LOOK_AGAIN = timedelta(seconds=5)  # at a notification that is being sent
DONE = "-"


def export(tenant: Tenant, *, user_id: str = "", address: str = "") -> dict[str, object]:
    """Everything that names the person, by kind of row. Noted in the audit log."""
    with transaction.atomic():
        person, customer = people.find(tenant, user_id=user_id, address=address, until=timezone.now())
        about = customer.pk if customer else ""
        audit.record("person.exported", tenant_id=tenant.id, object_id=about, summary="A person was exported")
        return dict(kept.export(person))


@transaction.atomic
def request(tenant: Tenant, *, user_id: str = "", address: str = "") -> Erasure:
    """From here on nothing more is sent to the person, and who comes again by that name is somebody new."""
    now = timezone.now()
    person, customer = people.find(tenant, user_id=user_id, address=address, until=now + GRACE)
    erasure = Erasure(tenant=tenant, customer_id=person.customer_id, requested_at=now, next_at=now + GRACE)
    erasure.sealed = _sealed(erasure, person)
    erasure.save(force_insert=True)
    about = person.customer_id or erasure.pk
    audit.record("person.erased", tenant_id=tenant.id, object_id=about, summary=f"Erasure {erasure.pk} begun")
    if customer is not None:
        customers.remove(customer)
    for holding in kept.holdings():
        holding.at_once(person)
    return erasure


def proceed(*, seconds: float, now: datetime | None = None) -> int:
    """Goes on with what is due, for so long; how many steps. Any number may: they take turns."""
    until, steps = time.monotonic() + seconds, 0
    while time.monotonic() < until and _proceed(now or timezone.now()):
        steps += 1
    return steps


@transaction.atomic
def _proceed(now: datetime) -> bool:
    due = Erasure.objects.filter(completed_at=None, next_at__lte=now).order_by("next_at")
    erasure = due.select_for_update(skip_locked=True).first()
    if erasure is None:
        return False
    _step(erasure, now)
    erasure.save(update_fields=("stage", "cursor", "sealed", "next_at", "completed_at"))
    return True


def _step(erasure: Erasure, now: datetime) -> None:
    """One small step of the stage; the cursor of a finished stage is DONE."""
    stages = {holding.name: holding for holding in kept.holdings()}
    names = list(stages)
    if erasure.cursor == DONE or not erasure.stage:
        left = names[names.index(erasure.stage) + 1 :] if erasure.stage else names
        if not left:
            erasure.completed_at, erasure.sealed = now, ""
            return
        erasure.stage, erasure.cursor = left[0], ""
    step = stages[erasure.stage].step(_opened(erasure), erasure.cursor)
    erasure.cursor = DONE if step.cursor is None else step.cursor
    erasure.next_at = now + LOOK_AGAIN if step.must_wait else erasure.next_at


def _sealed(erasure: Erasure, person: kept.Person) -> str:
    values = {"person": json.dumps(people.as_values(person))}
    return vault.seal(values, tenant_id=erasure.tenant_id, integration_id=erasure.pk)


def _opened(erasure: Erasure) -> kept.Person:
    values = vault.unseal(erasure.sealed, tenant_id=erasure.tenant_id, integration_id=erasure.pk)
    return people.from_values(json.loads(values["person"]))


def find(tenant: Tenant, erasure_id: uuid.UUID) -> Erasure | None:
    return Erasure.objects.for_tenant(tenant).filter(pk=erasure_id).first()
