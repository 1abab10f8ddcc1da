"""What events keep about a person: that they were meant, and what the payload says of them."""

import json
import uuid
from datetime import timedelta

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from notification_processor.models import Event, SeenKey
from traffic_control.ids import uuid7_at
from traffic_control.people import Holding, Person, Rows, Step, without

WINDOW = 1_000


def events_of(person: Person) -> QuerySet[Event]:
    """Those that may name the person: as somebody they are for, or in what they say."""
    about = Q()
    for word in {person.user_id, *person.words()} - {""}:
        for text in {json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}:  # as SQLite, as PostgreSQL
            about |= Q(said__icontains=text) | Q(meant__contains=f'"{text}"') | Q(error__icontains=text)
    texts = Event.objects.filter(tenant_id=person.tenant_id).alias(
        said=Cast("payload", TextField()), meant=Cast("recipients", TextField())
    )
    return texts.filter(about) if about else texts.none()


def export(person: Person) -> Rows:
    for event in events_of(person).order_by("id").iterator():
        if person.user_id in event.recipients or without(event.payload, person) != event.payload:
            about = {"id": event.id, "event_type": event.event_type, "received_at": event.received_at}
            yield "events", about | {"payload": event.payload, "state": event.state}


def at_once(person: Person) -> None:
    if person.customer_id:
        SeenKey.objects.filter(tenant_id=person.tenant_id, customer_id=person.customer_id).delete()


def step(person: Person, cursor: str) -> Step:
    """The tenant's next events. Each is locked, so that the router is either through with it or finds nobody in it."""
    after = uuid.UUID(cursor or str(uuid.UUID(int=0)))
    last = uuid7_at(person.until + timedelta(seconds=1))
    ids = Event.objects.filter(tenant_id=person.tenant_id, id__gt=after, id__lt=last).order_by("id")
    bound = ids.values_list("id", flat=True)[WINDOW - 1 : WINDOW].first() or last
    found = list(events_of(person).filter(id__gt=after, id__lte=bound).values_list("id", flat=True))
    for event in Event.objects.filter(id__in=found).select_for_update().order_by("id"):
        _forget(event, person)
    return Step(None if bound == last else str(bound))


def _forget(event: Event, person: Person) -> None:
    """A list of recipients gets shorter; the cursor, which counts those that are done, goes along."""
    if person.user_id in event.recipients:
        is_for_nobody_else = len(event.recipients) == 1
        done = int(event.cursor or 0)
        before = event.recipients[:done].count(person.user_id)
        event.cursor = str(done - before) if event.cursor else ""
        event.recipients = [user_id for user_id in event.recipients if user_id != person.user_id]
        event.payload = {} if is_for_nobody_else else event.payload
    event.payload = without(event.payload, person)
    event.error = without(event.error, person)
    event.save(update_fields=("recipients", "cursor", "payload", "error"))


HOLDING = Holding(name="events", export=export, at_once=at_once, step=step)
