"""The scenarios: what is done, how much is asked for meanwhile, and what must come of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from chaos import blows, broadcast, rolling
from chaos.load import Load, steady
from chaos.servers import FAST, IMMEDIATE
from chaos.troubles import (
    Trouble,
    absent_at_the_end,
    absent_broker,
    absent_dispatcher,
    bad_line_to_postgres,
    broadcasting_routers,
    everything,
    frozen_worker,
    full_broker,
    nothing,
    providers,
    repeated,
    silent_broker,
    slow_senders_killed,
    three_dispatchers,
)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`drain`: seconds, from the last blow or the last 202 on, in which everything must have come to its end.

    `always_accepts`: each request is answered with 202, 99 of 100 within half a second; else requests may be refused
    while something is down and shortly after, with `trouble_lasts` throughout. `kills_web`: then nobody may be there to
    answer them. `share`: of the messages that a scenario of the run usually asks for. `ask` begins to ask for them.
    """

    name: str
    title: str
    trouble: Trouble
    drain: float = 30.0
    always_accepts: bool = False
    trouble_lasts: bool = False
    kills_web: bool = False
    share: float = 1.0
    ask: Callable[..., Load] = steady


SCENARIOS: Sequence[Scenario] = (
    Scenario(name="quiet", title="Nothing happens", trouble=nothing, drain=10.0, always_accepts=True),
    Scenario(
        name="pool-children",
        title="A random pool process killed every second",
        trouble=repeated(blows.pool_child, seconds=1.0),
        drain=60.0,
        always_accepts=True,
    ),
    Scenario(
        name="workers",
        title="A whole worker killed every 2 s",
        trouble=repeated(blows.worker, seconds=2.0),
        drain=60.0,
        always_accepts=True,
    ),
    Scenario(
        name="web",
        title="Web processes killed every 3 s",
        trouble=repeated(blows.web, blows.web_child, seconds=3.0),
        kills_web=True,
    ),
    Scenario(
        name="dispatcher",
        title="The dispatcher killed every 5 s, then none for 60 s",
        trouble=absent_dispatcher,
        drain=60.0,
        always_accepts=True,
    ),
    Scenario(name="dispatchers", title="Three dispatchers at once", trouble=three_dispatchers, always_accepts=True),
    Scenario(
        name="rolling-restart",
        title="Each service restarted in its turn, with the former version's code and back",
        trouble=rolling.upgrade,
        kills_web=True,
        share=0.25,
    ),
    Scenario(
        name="flushed-broker",
        title="FLUSHALL every 10 s",
        trouble=repeated(blows.flush, seconds=10.0),
        always_accepts=True,
    ),
    Scenario(
        name="restarted-broker",
        title="The broker killed every 2 s, nothing on disk",
        trouble=repeated(blows.broker, seconds=2.0, times=20),
        drain=60.0,
        always_accepts=True,
    ),
    Scenario(
        name="absent-broker",
        title="No broker for 120 s",
        trouble=absent_broker,
        drain=60.0,
        always_accepts=True,
    ),
    Scenario(
        name="full-broker", title="The broker full for 20 s", trouble=full_broker, drain=60.0, always_accepts=True
    ),
    Scenario(
        name="silent-broker",
        title="The broker takes everything and answers nothing for 20 s",
        trouble=silent_broker,
        drain=60.0,
        always_accepts=True,
    ),
    Scenario(
        name="postgres-fast",
        title="PostgreSQL restarted every 4 s",
        trouble=repeated(partial(blows.postgres, how=FAST), seconds=4.0, times=10),
        drain=60.0,
    ),
    Scenario(
        name="postgres-immediate",
        title="PostgreSQL crashed every 4 s",
        trouble=repeated(partial(blows.postgres, how=IMMEDIATE), seconds=4.0, times=10),
        drain=60.0,
    ),
    Scenario(
        name="postgres-line",
        title="A slow line to PostgreSQL, 5 % reset each second, COMMITs cut",
        trouble=bad_line_to_postgres,
        trouble_lasts=True,
        drain=120.0,
    ),
    Scenario(
        name="providers",
        title="Providers: 30 % 500, 10 % hang, 5 % reset after accept, 5 % 429",
        trouble=providers,
        drain=300.0,
    ),
    Scenario(
        name="frozen-worker",
        title="A worker frozen inside its sends for 90 s, then let go",
        trouble=frozen_worker,
        drain=60.0,
        always_accepts=True,
    ),
    Scenario(
        name="broadcast",
        title="A broadcast, the router killed five times while it writes it",
        trouble=broadcasting_routers,
        drain=900.0,
        share=5.0,
        ask=broadcast.asked,
    ),
)
EVERYTHING = Scenario(
    name="everything",
    title="One blow of each kind in half a minute, beside providers that fail now and then",
    trouble=everything,
    drain=75.0,
    kills_web=True,
)
QUICK: Sequence[Scenario] = (EVERYTHING,)
# Short ones that show at once that a safeguard is gone.
SHOWING: Sequence[Scenario] = (
    Scenario(
        name="slow-senders",
        title="Workers killed inside slow sends",
        trouble=slow_senders_killed,
        drain=75.0,
        share=0.5,
    ),
    Scenario(
        name="known-dead",
        title="Workers killed inside slow sends, and nobody waits for their leases",
        trouble=slow_senders_killed,
        drain=25.0,
        share=0.5,
    ),
    Scenario(
        name="last-words",
        title="No broker when the last messages come",
        trouble=absent_at_the_end,
        drain=60.0,
        share=0.5,
    ),
    Scenario(
        name="short-freeze",
        title="A worker frozen inside its sends for 60 s, then let go",
        trouble=partial(frozen_worker, seconds=60.0),
        drain=60.0,
        share=0.5,
    ),
)
EVERY: Sequence[Scenario] = (*SCENARIOS, EVERYTHING, *SHOWING)
