"""What a tenant's messages are about: told by the app above that knows the workflows, asked for by the page."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of message: its category, the channels it may come on (none named: any), and whether it is critical."""

    category: str
    channels: frozenset[str]
    is_critical: bool


_reader: Callable[[uuid.UUID], Iterable[Subject]] = lambda tenant_id: ()  # noqa: E731 - nobody knows yet


def plug(reader: Callable[[uuid.UUID], Iterable[Subject]]) -> None:
    """Call it from `AppConfig.ready`."""
    global _reader
    _reader = reader


def of(tenant_id: uuid.UUID) -> list[Subject]:
    return list(_reader(tenant_id))
