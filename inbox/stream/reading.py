"""Asks the database from a coroutine, with one thread and at most one connection, which is given back at once."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections
from django.db.models import Q

from delivery_gateway import inbox
from delivery_gateway.inbox import Owner
from delivery_gateway.models import InboxItem
from inbox import answers
from inbox.stream.frames import REPLAY, News
from tenants.models import InboxSecret
from user_preferences.models import Customer

T = TypeVar("T")
CHUNK = 1_000


class Reader:
    """While questions wait, they share the connection; the last one closes it."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting = 0

    async def ask(self, question: Callable[..., T], *args: Any) -> T:
        self._waiting += 1
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(self._answer, question, *args))

    def _answer(self, question: Callable[..., T], *args: Any) -> T:
        is_kept = False
        try:
            answer = question(*args)
            is_kept = self._waiting > 1
            return answer
        finally:
            self._waiting -= 1
            if not is_kept:
                connections.close_all()


def look(known: Mapping[UUID, int | None]) -> dict[UUID, News]:
    """What has become of these inboxes since the versions that are known, or the last REPLAY: two queries for all."""
    states = inbox.states_of(known)
    missed = Q(pk__in=[])
    for customer_id, version in known.items():
        state = states.get(customer_id)
        if state and version is not None and version < state.version:
            since = max(version, state.version - REPLAY)
            missed |= Q(customer_id=customer_id, seq__gt=since, seq__lte=state.version)
    arrived: dict[UUID, list[tuple[int, str]]] = {}
    for customer_id, seq, item_id in (
        InboxItem.objects.filter(missed).order_by("customer_id", "seq").values_list("customer_id", "seq", "id")
    ):
        arrived.setdefault(customer_id, []).append((seq, str(item_id)))
    nothing = {"total": 0, "unread": 0, "unseen": 0, "version": 0}
    return {
        customer_id: News(
            answers.counts(states[customer_id]) if customer_id in states else nothing, arrived.get(customer_id, [])
        )
        for customer_id in known
    }


def changed(known: Mapping[UUID, int | None]) -> list[UUID]:
    """Those whose version is not the known one."""
    found: list[UUID] = []
    for some in _chunks(list(known)):
        found += [customer for customer, state in inbox.states_of(some).items() if state.version != known[customer]]
    return found


def usable_kids(kids: Collection[str]) -> set[str]:
    rows = InboxSecret.objects.filter(kid__in=list(kids), tenant__is_active=True)
    return set(rows.values_list("kid", flat=True))


def existing(customer_ids: Collection[UUID]) -> dict[UUID, int]:
    """Those who are still there, and since when tokens of theirs are good."""
    found: dict[UUID, int] = {}
    for some in _chunks(list(customer_ids)):
        found |= dict(Customer.objects.filter(id__in=some).values_list("id", "inbox_tokens_from"))
    return found


def owners_of(wanted: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], Owner]:
    """Of users who were no customers when they came: (tenant, user_id)."""
    who = Q(pk__in=[])
    for tenant_id, user_id in wanted:
        who |= Q(tenant_id=tenant_id, user_id=user_id)
    rows = Customer.objects.filter(who).values_list("tenant_id", "user_id", "id")
    return {(tenant_id, user_id): Owner(tenant_id, found) for tenant_id, user_id, found in rows}


def _chunks(values: list[UUID]) -> list[list[UUID]]:
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]
