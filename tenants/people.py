"""What stored answers to an `Idempotency-Key` keep about a person."""

import json
import uuid

from django.db.models import Q, QuerySet

from tenants.models import IdempotencyRecord
from traffic_control.people import Holding, Person, Rows, Step, without_objects

BATCH = 200
KEPT = frozenset({"id", "index", "status", "channel", "created_at", "received_at", "links"})


def answers_of(person: Person) -> QuerySet[IdempotencyRecord]:
    about = Q()
    for word in person.words():
        about |= Q(response__icontains=word) | Q(response__icontains=json.dumps(word)[1:-1])
    rows = IdempotencyRecord.objects.filter(tenant_id=person.tenant_id)
    return rows.filter(about) if about else rows.none()


def export(person: Person) -> Rows:
    for record in answers_of(person).order_by("id"):
        answer = json.loads(record.response)
        if without_objects(answer, person, keep=KEPT) != answer:
            yield "idempotent_answers", {"created_at": record.created_at, "answer": answer}


def step(person: Person, cursor: str) -> Step:
    """The request stays done: sent again, it is answered with what is left of its answer."""
    after = uuid.UUID(cursor or str(uuid.UUID(int=0)))
    records = list(answers_of(person).filter(id__gt=after).select_for_update().order_by("id")[:BATCH])
    for record in records:
        kept = without_objects(json.loads(record.response), person, keep=KEPT)
        IdempotencyRecord.objects.filter(pk=record.pk).update(response=json.dumps(kept))
    return Step(str(records[-1].pk) if len(records) == BATCH else None)


HOLDING = Holding(name="answers", export=export, step=step)
