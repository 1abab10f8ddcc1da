"""Who an event is for, in slices: customers of its recipient list or its topic, from where the cursor stands."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notification_processor.models import Event
from user_preferences import customers, selectors
from user_preferences.customers import RecipientInput
from user_preferences.models import Customer

SLICE = 1_000  # recipients a transaction
TOPIC_ALL = "all"
SMALLEST_SHARE = 20  # recipients of one list in a transaction
TOPICS_PART = 4  # a topic gets at least so much of the slice: a fourth
Taken = list[tuple[Event, list[str], int]]  # of each event the user_ids it is at, and where these end
Known = dict[uuid.UUID, dict[str, Customer]]  # by tenant and user_id


@dataclass(frozen=True, slots=True)
class Slice:
    """The next recipients of one event, and where its cursor stands after them."""

    event: Event
    customers: tuple[Customer, ...]
    cursor: str
    is_last: bool


def next_slices(
    events: Sequence[Event], *, budget: int = SLICE, introduce: Callable[[Taken], Known] | None = None
) -> list[Slice]:
    """Slices for as many of the events as fit the budget of recipients; at least one.

    No list takes more than its tenant's share, and lists leave some of it to a topic: none waits for another's end.
    `introduce` finds the customers of a list; by default whoever is new becomes one.
    """
    listed = [event for event in events if event.topic != TOPIC_ALL]
    most = budget if len(listed) == len(events) else budget - budget // TOPICS_PART
    slices = _listed_slices(listed, most, introduce or _customers_of)
    left = budget - sum(len(s.customers) for s in slices)
    for event in events:
        if event.topic == TOPIC_ALL and (left > 0 or not slices):
            slices.append(_topic_slice(event, max(left, 1) if slices else budget))
            left -= len(slices[-1].customers)
    return slices


def _topic_slice(event: Event, limit: int) -> Slice:
    after = uuid.UUID(event.cursor) if event.cursor else None
    found = selectors.all_after(event.tenant_id, after, limit + 1)  # one more, to know whether these are the last
    taken = tuple(found[:limit])
    return Slice(event, taken, str(taken[-1].id) if taken else event.cursor, is_last=len(found) <= limit)


def _listed_slices(events: Sequence[Event], budget: int, introduce: Callable[[Taken], Known]) -> list[Slice]:
    """Events with a list of user_ids; the customers of all of them in one query per tenant."""
    taken: Taken = []
    share = max(SMALLEST_SHARE, budget // max(1, len({event.tenant_id for event in events})))
    for event in events:
        if budget <= 0 and taken:
            break
        start = int(event.cursor or 0)
        ids = event.recipients[start : start + max(min(budget, share), 1)]
        taken.append((event, ids, start + len(ids)))
        budget -= len(ids)
    known = introduce(taken)
    return [
        Slice(event, tuple(known[event.tenant_id][u] for u in ids), str(end), is_last=end >= len(event.recipients))
        for event, ids, end in taken
    ]


def _customers_of(taken: Taken) -> Known:
    """A user_id that was never introduced becomes a customer without addresses."""
    wanted: dict[uuid.UUID, tuple[Event, set[str]]] = {}
    for event, ids, _ in taken:
        wanted.setdefault(event.tenant_id, (event, set()))[1].update(ids)
    found: Known = {}
    for tenant_id, (event, user_ids) in wanted.items():
        found[tenant_id] = selectors.by_user_ids(tenant_id, user_ids)
        if unknown := sorted(user_ids - found[tenant_id].keys()):
            found[tenant_id] |= customers.upsert(event.tenant, [RecipientInput(user_id=u) for u in unknown])
    return found
