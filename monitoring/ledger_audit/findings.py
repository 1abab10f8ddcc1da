"""What can be wrong, as seven promises, and how an audit counts what it found."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EXAMPLES = 10  # of each kind


class Promise(StrEnum):
    """The value says what holds when there is nothing to report."""

    I1 = "Whatever was answered with a 202 exists, with a row for each recipient."
    I2 = "Each message has ended, is held with a reason, or has a time or a lease by which it moves on."
    I3 = "What is sent was received, and what was received is on record."
    I4 = "A message was received at most once more than its record has doubtful sends."
    I5 = "Each message that failed has exactly one dead letter."
    I6 = "Nothing crosses from one tenant to another."
    I7 = "Attempts stay within the schedule, and each has its record."


PROMISE_OF: Mapping[str, Promise] = {
    "lost": Promise.I1,
    "recipient_without_row": Promise.I1,
    "key_answered_twice": Promise.I1,
    "digest_is_missing": Promise.I1,
    "illegal_status": Promise.I2,
    "sending_without_lease": Promise.I2,
    "lease_without_sending": Promise.I2,
    "scheduled_without_time": Promise.I2,
    "held_without_reason": Promise.I2,
    "overdue": Promise.I2,
    "unfinished": Promise.I2,
    "sent_but_not_received": Promise.I3,
    "received_but_not_sent": Promise.I3,
    "received_without_row": Promise.I3,
    "doubled": Promise.I4,
    "doubt_without_record": Promise.I4,
    "failed_without_letter": Promise.I5,
    "letter_without_failure": Promise.I5,
    "letter_without_row": Promise.I5,
    "row_of_another_tenant": Promise.I6,
    "told_to_another_tenant": Promise.I6,
    "received_by_another_tenant": Promise.I6,
    "too_many_attempts": Promise.I7,
    "attempts_without_record": Promise.I7,
    "sent_without_attempt": Promise.I7,
    "success_overwritten": Promise.I7,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise. `subject`: the id of a notification or an event; `detail`: what contradicts what."""

    kind: str
    subject: uuid.UUID
    detail: str

    @property
    def promise(self) -> Promise:
        return PROMISE_OF[self.kind]


@dataclass(slots=True)
class Report:
    """`findings` counts by kind, `examples` are the first few of each; the rest is what was looked at.

    `extra_sends`: repeats that the law allows, by what the record says of them.
    """

    findings: Counter[str] = field(default_factory=Counter)
    examples: list[Finding] = field(default_factory=list)
    rows: int = 0
    events: int = 0
    told: int = 0
    received: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    extra_sends: Counter[str] = field(default_factory=Counter)

    def add(self, findings: Iterable[Finding]) -> None:
        for one in findings:
            self.findings[one.kind] += 1
            if self.findings[one.kind] <= EXAMPLES:
                self.examples.append(one)

    @property
    def is_clean(self) -> bool:
        return not self.findings

    def broken(self) -> Counter[str]:
        """Findings by promise, as `I1` … `I7`."""
        counted: Counter[str] = Counter()
        for kind, number in self.findings.items():
            counted[PROMISE_OF[kind].name] += number
        return counted

    def as_json(self) -> dict[str, object]:
        broken = self.broken()
        return {
            "clean": self.is_clean,
            "looked_at": {"told": self.told, "rows": self.rows, "events": self.events, "received": self.received},
            "statuses": dict(self.statuses),
            "extra_sends": dict(self.extra_sends),
            "promises": {one.name: {"promise": one.value, "findings": broken[one.name]} for one in Promise},
            "findings": dict(self.findings),
            "examples": [{"kind": e.kind, "id": str(e.subject), "detail": e.detail} for e in self.examples],
        }
