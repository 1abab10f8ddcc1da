"""The rules of an audit. Pure: what is known of one message goes in, what contradicts itself comes out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery_gateway.states import TERMINAL, Status
from monitoring.ledger_audit.evidence import Receipts
from monitoring.ledger_audit.facts import Facts
from monitoring.ledger_audit.findings import Finding

STATUSES = frozenset(Status)
LEFT = frozenset({Status.SENT, Status.DELIVERED, Status.BOUNCED})
DOUBTFUL = ("ambiguous", "lapsed")  # outcomes of attempts that may have sent it unseen
FREE = ("throttled", "lapsed")  # outcomes that count for no attempt; a lapse does when it is the last, as poison
NOTHING = Receipts(0, frozenset())


@dataclass(frozen=True, slots=True)
class Case:
    """What holds for every message of an audit.

    `patience`: how late a dispatcher may be. `max_attempts`: what the schedule allows. `is_settled`: all has had the
    time to come to its end. `channels`: those whose receivers kept a record, up to `recorded_until`.
    """

    now: datetime
    recorded_until: datetime
    max_attempts: int
    patience: timedelta = timedelta(seconds=120)
    is_settled: bool = False
    channels: frozenset[str] = frozenset()


def judge(facts: Facts, received: Receipts, case: Case) -> Iterator[Finding]:
    """What is wrong with one message; nothing, as a rule."""
    for rule in RULES:
        for kind, detail in rule(facts, received, case):
            yield Finding(kind, facts.row.id, detail)


def extra_sends(facts: Facts, received: Receipts) -> dict[str, int]:
    """How often more than once it was received, by what its record says about that."""
    extra = received.count - 1
    reasons: dict[str, int] = {}
    for outcome in DOUBTFUL:
        if (number := min(max(0, extra), facts.outcomes.get(outcome, 0))) > 0:
            reasons[outcome] = number
            extra -= number
    return reasons


Broken = Iterator[tuple[str, str]]  # kind, detail


def _state(facts: Facts, received: Receipts, case: Case) -> Broken:
    row = facts.row
    if row.status not in STATUSES:
        yield "illegal_status", f"its status is {row.status!r}"
    if row.status == Status.SENDING and row.lease_until is None:
        yield "sending_without_lease", "it is being sent, by nobody"
    if row.status != Status.SENDING and row.lease_until is not None:
        yield "lease_without_sending", f"it is {row.status}, and somebody holds a lease"
    if row.status == Status.SCHEDULED and row.due_at is None:
        yield "scheduled_without_time", "it waits for no time at all"
    if row.status == Status.HELD and not row.reason:
        yield "held_without_reason", "it is held, and nobody said why"
    if facts.lacks_digest:
        yield "digest_is_missing", f"it went into the digest {row.digest_id}, which is not there"


def _progress(facts: Facts, received: Receipts, case: Case) -> Broken:
    row = facts.row
    times = {Status.SENDING: row.lease_until, Status.SCHEDULED: row.due_at}
    waits_for = next((moment for status, moment in times.items() if status == row.status), None)
    if waits_for is not None and waits_for < case.now - case.patience:
        yield "overdue", f"it is {row.status}, and its time was {waits_for.isoformat(timespec='seconds')}"
    elif case.is_settled and row.status in STATUSES - TERMINAL - {Status.HELD}:
        yield "unfinished", f"it is still {row.status} {f'({row.reason})' if row.reason else ''}".rstrip()


def _receipt(facts: Facts, received: Receipts, case: Case) -> Broken:
    row = facts.row
    if row.mode == "test" or row.channel == "in_app":
        place = "sandbox" if row.mode == "test" else "inbox"
        if row.status in LEFT and not facts.captured:
            yield "sent_but_not_received", f"it is {row.status}, and in no {place}"
        return
    if row.channel not in case.channels:
        return
    if row.status in LEFT and not received.count and row.sent_at is not None and row.sent_at <= case.recorded_until:
        yield "sent_but_not_received", f"it is {row.status}, and its {row.channel} receiver never saw it"
    if received.count and row.status not in LEFT and row.status != Status.SENDING and not row.ambiguous:
        yield "received_but_not_sent", f"it was received, is {row.status}, and no attempt was in doubt"


def _doubles(facts: Facts, received: Receipts, case: Case) -> Broken:
    row, doubts = facts.row, sum(facts.outcomes.get(outcome, 0) for outcome in DOUBTFUL)
    under_way = row.status == Status.SENDING
    if received.count - 1 > row.ambiguous + under_way:
        yield "doubled", f"it was received {received.count} times, with {row.ambiguous} sends in doubt"
    if row.ambiguous > doubts:
        yield "doubt_without_record", f"{row.ambiguous} sends are in doubt, and {doubts} attempts say so"


def _letters(facts: Facts, received: Receipts, case: Case) -> Broken:
    has_failed = facts.row.status == Status.FAILED
    if has_failed and (facts.letters, facts.open_letters) != (1, 1):
        yield "failed_without_letter", f"it has {facts.letters} dead letters, {facts.open_letters} of them open"
    if facts.open_letters and not has_failed:
        yield "letter_without_failure", f"it is {facts.row.status}, and its dead letter is open"


def _tenants(facts: Facts, received: Receipts, case: Case) -> Broken:
    if facts.strangers:
        yield "row_of_another_tenant", f"of another tenant than itself: {', '.join(facts.strangers)}"
    if foreign := received.tenants - {str(facts.row.tenant_id)}:
        yield "received_by_another_tenant", f"it belongs to {facts.row.tenant_id}; received by {', '.join(foreign)}"


def _attempts(facts: Facts, received: Receipts, case: Case) -> Broken:
    row = facts.row
    calls = sum(number for outcome, number in facts.outcomes.items() if outcome not in FREE)
    calls += row.reason == "poison"
    if row.attempts > case.max_attempts:
        yield "too_many_attempts", f"{row.attempts} attempts, and the schedule has {case.max_attempts}"
    if row.attempts > calls:
        yield "attempts_without_record", f"{row.attempts} attempts are counted, and {calls} are on record"
    if row.status in LEFT and not facts.outcomes.get("sent"):
        yield "sent_without_attempt", f"it is {row.status}, and no attempt says so"
    if facts.outcomes.get("sent", 0) > (row.status in LEFT):
        yield "success_overwritten", f"it is {row.status}, after {facts.outcomes['sent']} attempts that succeeded"


RULES: tuple[Callable[[Facts, Receipts, Case], Broken], ...] = (
    _state, _progress, _receipt, _doubles, _letters, _tenants, _attempts,
)  # fmt: skip
