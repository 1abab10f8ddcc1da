"""What is taken by asking: a turn under a limit, the key of an event. Who only wants to know asks without taking."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from delivery_gateway import limits
from notification_processor import deduplication
from notification_processor.deduplication import Told
from notification_processor.models import Event
from notification_processor.renderer_jobs import IN_TURN, Effort


@dataclass(frozen=True, slots=True)
class Takings:
    """What is taken by asking: `repeats` holds the keys of its events, `waits` takes a turn for each recipient.

    And `effort`, the time of the renderers.
    """

    repeats: Callable[[Iterable[tuple[Event, uuid.UUID]]], dict[Told, str]] = deduplication.duplicates
    waits: Callable[[Sequence[limits.Recipient]], list[float]] = limits.waits_for
    effort: Effort = IN_TURN


FOR_GOOD = Takings()
