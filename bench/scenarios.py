"""What is measured, and how much of it fits a quick or a full run."""

from bench import work
from bench.designs import BATCH, DJANGO_Q, LARGE_AUDIENCE, PLAIN, POST_OFFICE, PRODUCT, SYNCHRONOUS, TUNED
from bench.scenario import BATCHES, INTAKE, LARGE, PEERAGE, Amount, Scenario

QUICK_ORDER = (PRODUCT, PLAIN)  # a quick run leaves the tuned variant out
CONNECTIONS = (1, 16, 64)
EVERYONE, EVERYONE_QUICK, EVERYONE_LARGE = 20_000, 2_000, 200_000


def scenarios(*, is_quick: bool) -> list[Scenario]:
    """End to end first, intake alone at the end: what that leaves behind would be sent in the slices after it."""
    return [
        *deliveries(is_quick=is_quick),
        *slow_sinks(is_quick=is_quick),
        broadcast(is_quick=is_quick),
        *peers(),
        large_broadcast(),
        *(intake("notify", "email", connections, is_quick=is_quick) for connections in CONNECTIONS),
        intake("events", "event", 16, is_quick=is_quick),
        batches(is_quick=is_quick),
    ]


def deliveries(*, is_quick: bool) -> list[Scenario]:
    rounds, order = (2, QUICK_ORDER) if is_quick else (5, ())
    size = 1 if is_quick else 4
    singles = Amount(rounds=rounds, requests={PRODUCT: 800 * size, PLAIN: 80 * size, TUNED: 120 * size})
    events = Amount(rounds=rounds, requests={PRODUCT: 400 * size, PLAIN: 40 * size, TUNED: 60 * size})
    few = Amount(rounds=rounds, requests=dict.fromkeys((PRODUCT, PLAIN, TUNED), 8 * size))
    return [
        Scenario(name="email", title="emails delivered/s", kind="email", amount=singles, order=order),
        Scenario(name="webhook", title="webhooks delivered/s", kind="webhook", amount=singles, order=order),
        Scenario(
            name="event",
            title="delivered/s, events with two channels",
            kind="event",
            amount=events,
            order=order,
            per_request=2,
        ),
        Scenario(name="in_app", title="in-app delivered/s", kind="in_app", amount=singles, order=(PRODUCT,)),
        Scenario(
            name="idle",
            title="ms from request to sink, one email at a time",
            kind="email",
            amount=few,
            order=order,
            is_one_by_one=True,
        ),
    ]


def slow_sinks(*, is_quick: bool) -> list[Scenario]:
    """Providers that take their time; nobody's processor does much meanwhile."""
    order, rounds = (QUICK_ORDER, 1) if is_quick else ((), 3)
    amounts = {50: {PRODUCT: 1200, PLAIN: 60, TUNED: 60}, 200: {PRODUCT: 600, PLAIN: 20, TUNED: 20}}
    return [
        Scenario(
            name=f"email-{delay}ms",
            title=f"emails delivered/s, sink answers in {delay} ms",
            kind="email",
            amount=Amount(rounds=rounds, requests=requests),
            order=order,
            warm_up=(PRODUCT,),
            delay_ms=delay,
        )
        for delay, requests in amounts.items()
    ]


def broadcast(*, is_quick: bool) -> Scenario:
    """The others get a tenth of it, one request per recipient: their rate does not depend on how many there are."""
    everyone, rounds = (EVERYONE_QUICK, 1) if is_quick else (EVERYONE, 3)
    some = {PRODUCT: everyone, PLAIN: everyone // 10, TUNED: everyone // 10}
    return Scenario(
        name="broadcast",
        title=f"delivered/s, one message to {everyone:,}",
        kind="broadcast",
        amount=Amount(rounds=rounds, requests=some),
        order=QUICK_ORDER if is_quick else (),
        warm_up=(PRODUCT,),
    )


def large_broadcast() -> Scenario:
    return Scenario(
        name="broadcast-200k",
        title=f"delivered/s, one message to {EVERYONE_LARGE:,} (beside it to {EVERYONE:,})",
        kind="broadcast",
        group=LARGE,
        amount=Amount(rounds=1, requests={PRODUCT: EVERYONE, LARGE_AUDIENCE: EVERYONE_LARGE}),
        warm_up=(PRODUCT,),
        is_spare=True,
    )


def intake(name: str, kind: work.Kind, connections: int, *, is_quick: bool) -> Scenario:
    """The price of accepting alone. Tuning is in the workers, so plain stands for both; the bare view has no events.

    The first one warms up for all of them.
    """
    rounds, seconds = (2 if connections == 16 else 1, 1.0) if is_quick else (5, 2.5)
    return Scenario(
        name=f"{name}-intake-{connections}",
        title=f"{work.single(kind, '')[0]} accepted/s, {connections} connection{'s' if connections > 1 else ''}",
        kind=kind,
        group=INTAKE,
        amount=Amount(rounds=rounds, requests={}, seconds=seconds),
        order=() if kind == "email" else (PRODUCT, PLAIN),
        warm_up=() if connections > 1 and kind == "email" else None,
        connections=connections,
        needs_workers=False,
    )


def batches(*, is_quick: bool) -> Scenario:
    rounds, seconds = (2, 1.0) if is_quick else (5, 2.5)
    return Scenario(
        name="batch-intake",
        title="messages accepted/s",
        kind="email",
        group=BATCHES,
        amount=Amount(rounds=rounds, requests={}, seconds=seconds),
        order=(BATCH, PRODUCT) if is_quick else (),
        needs_workers=False,
    )


def peers() -> list[Scenario]:
    counts = {PRODUCT: 3000, POST_OFFICE: 500, DJANGO_Q: 350, SYNCHRONOUS: 500}
    slowly = {PRODUCT: 1200, POST_OFFICE: 200, DJANGO_Q: 60, SYNCHRONOUS: 300}
    return [
        Scenario(
            name=name,
            title=title,
            kind="email",
            group=PEERAGE,
            amount=Amount(rounds=3, requests=requests),
            delay_ms=delay,
        )
        for name, title, requests, delay in (
            ("peers-email", "emails delivered/s", counts, 0),
            ("peers-email-50ms", "emails delivered/s, sink answers in 50 ms", slowly, 50),
        )
    ]
