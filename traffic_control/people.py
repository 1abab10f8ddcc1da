"""What is kept about a person, wherever that is: each app says how it is shown and how it is erased (`hold`).

Erasing has two parts. What must hold from that moment on is done in the transaction of the request (`at_once`); what
has to be looked for goes on behind it in small steps (`step`), however large the tables are.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ERASED = "[erased]"
LONG_ENOUGH = 6  # characters; a shorter word has to be the whole text: "u1" is part of many words


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom it is about. `addresses` are by channel; `declined` is (channel, address, category, "" for every one).

    `until`: what was accepted later is somebody's new business with this person.
    """

    tenant_id: uuid.UUID
    until: datetime
    user_id: str = ""
    customer_id: uuid.UUID | None = None
    addresses: tuple[tuple[str, str], ...] = ()
    declined: tuple[tuple[str, str, str], ...] = ()

    def words(self) -> tuple[str, ...]:
        """What the person is called by in texts of others, in lower case."""
        said = {self.user_id, *(address for _, address in self.addresses)}
        return tuple(sorted(word.strip().lower() for word in said if word.strip()))

    def is_in(self, text: str) -> bool:
        lowered = text.strip().lower()
        return any(word == lowered or (len(word) >= LONG_ENOUGH and word in lowered) for word in self.words())


@dataclass(frozen=True, slots=True)
class Step:
    """Where the next step goes on, None when there is none; `must_wait` when something first has to come to its end."""

    cursor: str | None
    must_wait: bool = False


Rows = Iterator[tuple[str, Mapping[str, Any]]]  # the kind of row, and the row


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one app keeps about people."""

    name: str
    export: Callable[[Person], Rows] = lambda person: iter(())
    at_once: Callable[[Person], None] = lambda person: None
    step: Callable[[Person, str], Step] = lambda person, cursor: Step(None)


_holdings: dict[str, Holding] = {}


def hold(holding: Holding) -> None:
    """Call it from `AppConfig.ready`."""
    _holdings[holding.name] = holding


def holdings() -> list[Holding]:
    """Those that feed others first: an event that waits must not open rows behind the back of who clears rows."""
    return sorted(_holdings.values(), key=lambda holding: (holding.name != "events", holding.name))


def export(person: Person) -> dict[str, list[Mapping[str, Any]]]:
    """By kind of row, everything that names the person."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for holding in holdings():
        for kind, row in holding.export(person):
            found.setdefault(kind, []).append(row)
    return found


def without(value: Any, person: Person) -> Any:
    """JSON as it was, but for texts that name the person."""
    if isinstance(value, str):
        return ERASED if person.is_in(value) else value
    if isinstance(value, list):
        return [without(item, person) for item in value]
    if isinstance(value, dict):
        return {key: without(item, person) for key, item in value.items()}
    return value


def without_objects(value: Any, person: Person, *, keep: Iterable[str]) -> Any:
    """JSON in which objects that name the person directly have lost all but the members of `keep`."""
    if isinstance(value, list):
        return [without_objects(item, person, keep=keep) for item in value]
    if not isinstance(value, dict):
        return value
    if any(isinstance(item, str) and person.is_in(item) for item in value.values()):
        return {key: item if key in keep else None for key, item in value.items()}
    return {key: without_objects(item, person, keep=keep) for key, item in value.items()}
