"""What is measured, and how much of it fits a quick or a full run."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench import work
from bench.http_wire import Target
from bench.load import Plan
from bench.services import Keys, Place

PRODUCT, PLAIN, TUNED = "product", "plain", "tuned"
DESIGNS = (PRODUCT, PLAIN, TUNED)


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How many rounds count, and what a slice is: requests for each design (about the same time), else seconds."""

    rounds: int
    requests: Mapping[str, int]
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One line of the table. `order`: the slices of a round; a design that is twice in it counts with the mean."""

    name: str
    title: str
    kind: work.Kind
    amount: Amount
    order: tuple[str, ...] = DESIGNS
    warm_up: tuple[str, ...] = DESIGNS
    per_request: int = 1
    needs_workers: bool = True
    is_one_by_one: bool = False

    @property
    def figure(self) -> str:
        """The field of a slice that the scenario is about."""
        if self.is_one_by_one:
            return "p50_ms"
        return "delivered_per_s" if self.needs_workers else "accepted_per_s"

    def is_one_for_all(self, design: str) -> bool:
        """Whether one request reaches everybody; the plain design has no such thing and gets one per recipient."""
        return self.kind == "broadcast" and design == PRODUCT

    def target(self, design: str, place: Place, keys: Keys) -> Target:
        if self.is_one_for_all(design):
            return Target(place.url, *work.broadcast(), key=keys.broadcast)
        path, body = work.single(self.kind, place.hook)
        return Target(place.url, path, body, key=keys.single, modulo=0 if self.kind == "broadcast" else work.CUSTOMERS)

    def plan(self, design: str, place: Place) -> Plan:
        requests = self.amount.requests.get(design, 0)
        return Plan(
            count=1 if self.is_one_for_all(design) else requests,
            seconds=self.amount.seconds,
            per_request=requests if self.is_one_for_all(design) else self.per_request,
            sink=place.sink_url if self.needs_workers else "",
            is_one_by_one=self.is_one_by_one,
        )


def scenarios(*, is_quick: bool) -> list[Scenario]:
    """End to end first; intake alone comes last, because what it leaves behind is never sent."""
    rounds, size = (2, 1) if is_quick else (5, 2)
    singles = Amount(rounds=rounds, requests={PRODUCT: 1500 * size, PLAIN: 150 * size, TUNED: 200 * size})
    events = Amount(rounds=rounds, requests={PRODUCT: 700 * size, PLAIN: 70 * size, TUNED: 100 * size})
    few = Amount(rounds=rounds, requests=dict.fromkeys(DESIGNS, 10 * size))
    intake = Amount(rounds=rounds, requests={}, seconds=1.5 * size)
    return [
        Scenario(name="email", title="emails delivered/s", kind="email", amount=singles),
        Scenario(name="webhook", title="webhooks delivered/s", kind="webhook", amount=singles),
        Scenario(
            name="event", title="delivered/s, events with two channels", kind="event", amount=events, per_request=2
        ),
        Scenario(
            name="idle",
            title="ms from request to sink, one email at a time",
            kind="email",
            amount=few,
            is_one_by_one=True,
        ),
        broadcast(everyone(is_quick=is_quick), is_quick=is_quick),
        intake_alone("notify", "email", amount=intake),
        intake_alone("events", "event", amount=intake),
    ]


def everyone(*, is_quick: bool) -> int:
    """How many customers a broadcast goes to."""
    return 2_000 if is_quick else 20_000


def broadcast(recipients: int, *, is_quick: bool) -> Scenario:
    """One round, because the plain design takes minutes for it; the product's slices lie around those of the others."""
    return Scenario(
        name="broadcast",
        title=f"delivered/s, one message to {recipients:,}",
        kind="broadcast",
        amount=Amount(rounds=1, requests=dict.fromkeys(DESIGNS, recipients)),
        order=(PRODUCT, PLAIN, PRODUCT) if is_quick else (PRODUCT, PLAIN, PRODUCT, TUNED, PRODUCT),
        warm_up=(PRODUCT,),
    )


def intake_alone(name: str, kind: work.Kind, *, amount: Amount) -> Scenario:
    """The price of accepting alone. Tuning is in the workers, so plain stands for both."""
    return Scenario(
        name=f"{name}_intake",
        title=f"{work.single(kind, '')[0]} accepted/s, workers stopped",
        kind=kind,
        amount=amount,
        order=(PRODUCT, PLAIN),
        warm_up=(PRODUCT, PLAIN),
        needs_workers=False,
    )
