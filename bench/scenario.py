"""One line of the tables: what is posted, to whom, how much of it, and who is compared with whom."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench import work
from bench.designs import BARE, BATCH, LARGE_AUDIENCE, PEERS, PLAIN, PRODUCT, TUNED, system_of
from bench.http_wire import Target
from bench.load import Plan
from bench.services import Keys, Place

BATCH_SIZE = 100


@dataclass(frozen=True, kw_only=True)
class Group:
    """A table: its subject, and the others that the subject's figures are divided by."""

    title: str
    subject: str
    others: tuple[str, ...]

    @property
    def entrants(self) -> tuple[str, ...]:
        return (self.subject, *self.others)


DELIVERY = Group(title="End to end", subject=PRODUCT, others=(PLAIN, TUNED))
INTAKE = Group(title="Intake alone, workers stopped", subject=PRODUCT, others=(PLAIN, BARE))
BATCHES = Group(title="Intake in batches of 100", subject=BATCH, others=(PRODUCT, PLAIN))
LARGE = Group(title="A larger audience", subject=LARGE_AUDIENCE, others=(PRODUCT,))
PEERAGE = Group(title="Peers", subject=PRODUCT, others=PEERS)
GROUPS = (DELIVERY, INTAKE, BATCHES, LARGE, PEERAGE)


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How many rounds count, and what a slice is: requests for each entrant (about the same time), else seconds."""

    rounds: int
    requests: Mapping[str, int]
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`order`: the slices of a round. `is_spare`: taken only when there is time left for it."""

    name: str
    title: str
    kind: work.Kind
    amount: Amount
    group: Group = DELIVERY
    order: tuple[str, ...] = ()
    warm_up: tuple[str, ...] | None = None
    connections: int = 16
    per_request: int = 1
    delay_ms: float = 0.0
    needs_workers: bool = True
    is_one_by_one: bool = False
    is_spare: bool = False
    is_in_batches: bool = False

    @property
    def slices(self) -> tuple[str, ...]:
        return self.order or self.group.entrants

    @property
    def systems(self) -> set[str]:
        return {system_of(entrant) for entrant in self.slices}

    @property
    def figure(self) -> str:
        """The field of a slice that the scenario is about."""
        if self.is_one_by_one:
            return "p50_ms"
        return "delivered_per_s" if self.needs_workers else "accepted_per_s"

    def audience(self, entrant: str) -> int:
        """How many one request reaches; 0 for one request per recipient, which is all that the others can do."""
        is_for_all = self.kind == "broadcast" and system_of(entrant) == PRODUCT
        return self.amount.requests[entrant] if is_for_all else 0

    def target(self, entrant: str, place: Place, keys: Keys) -> Target:
        if everyone := self.audience(entrant):
            return Target(place.url, *work.broadcast(), key=keys.audiences[everyone])
        path, body = work.batch(BATCH_SIZE) if self._has_batches(entrant) else work.single(self.kind, place.hook)
        return Target(place.url, path, body, key=keys.single, modulo=0 if self.kind == "broadcast" else work.CUSTOMERS)

    def plan(self, entrant: str, place: Place) -> Plan:
        everyone, source = self.audience(entrant), place.database_url if self.kind == "in_app" else place.sink_url
        return Plan(
            connections=self.connections,
            count=1 if everyone else self.amount.requests.get(entrant, 0),
            seconds=self.amount.seconds,
            per_request=everyone or self.per_request,
            items=BATCH_SIZE if self._has_batches(entrant) else 1,
            sink=source if self.needs_workers else "",
            is_one_by_one=self.is_one_by_one,
        )

    def _has_batches(self, entrant: str) -> bool:
        return self.is_in_batches or entrant == BATCH
