"""The places where a process can die on the way of a message, each of them a call of `crash_point`.

It does nothing, unless CRASH_POINT names that place when the process starts: then the process ends there as if it had
been killed. For tests, which do so at each of them and then look whether every promise of the ledger is kept.
"""

import os
from enum import StrEnum

KILLED = 137  # the exit code, as after SIGKILL


class Point(StrEnum):
    """Named for what has just happened."""

    # the door
    EVENT_READ = "event_read"  # not stored yet
    EVENT_STORED = "event_stored"  # committed; the client has no answer, the generator no wake-up
    SEND_READ = "send_read"
    SEND_STORED = "send_stored"
    BATCH_STORED = "batch_stored"  # not committed
    FLAG_SET = "flag_set"  # in Redis: nobody else publishes; nor do we
    # a task
    TASK_TAKEN = "task_taken"  # its flag is gone, and it has claimed nothing
    # generator and router
    EVENTS_PLANNED = "events_planned"  # not committed
    ROWS_OPENED = "rows_opened"  # the slice's cursor stands where it stood
    CURSOR_MOVED = "cursor_moved"  # not committed
    SLICE_ROUTED = "slice_routed"  # committed, others to come
    SENDS_ROUTED = "sends_routed"  # not committed
    DIGESTS_OPENED = "digests_opened"  # not committed; what they stand for is still to be settled
    HELD_RELEASED = "held_released"  # not committed
    # delivery
    ROWS_CLAIMED = "rows_claimed"  # committed; the journal does not know which
    ROWS_HELD = "rows_held"  # in the journal; nothing is sent
    SUSPECT_SET_APART = "suspect_set_apart"
    SEND_BEGUN = "send_begun"  # in the journal; nothing has left
    PROVIDER_ANSWERED = "provider_answered"  # nobody knows but the provider
    SEND_LANDED = "send_landed"  # in the journal, not in the ledger
    OUTCOMES_WRITTEN = "outcomes_written"  # not committed
    OUTCOMES_RECORDED = "outcomes_recorded"  # committed; the journal does not say so
    # dispatcher
    DUE_PROMOTED = "due_promoted"  # not committed
    DUE_DONE = "due_done"  # committed, the other steps to come
    JOURNAL_SETTLED = "journal_settled"  # committed; its file is there yet
    LEASES_RELEASED = "leases_released"  # not committed
    LATE_EXPIRED = "late_expired"  # not committed
    # an operator
    LETTERS_REPLAYED = "letters_replayed"  # not committed
    SLICE_REPLAYED = "slice_replayed"  # of a job; not committed
    REPLAY_DONE = "replay_done"  # committed; nobody is told


_armed = os.environ.get("CRASH_POINT", "")


def arm(point: Point) -> None:
    """As if the process had been started with it."""
    global _armed
    _armed = point


def crash_point(point: Point) -> None:
    if _armed and _armed == point:
        os._exit(KILLED)
