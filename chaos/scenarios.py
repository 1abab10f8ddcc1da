"""The scenarios: what is done, how much is asked for meanwhile, and what must come of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from chaos import blows
from chaos.servers import FAST, IMMEDIATE
from chaos.troubles import (
    Trouble,
    absent_broker,
    absent_dispatcher,
    bad_line_to_postgres,
    everything,
    frozen_worker,
    full_broker,
    nothing,
    providers,
    repeated,
    silent_broker,
    three_dispatchers,
)

DEAF = 90.0  # seconds after which a worker that no longer hears its broker ends itself


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`drain`: seconds, from the last blow or the last 202 on, in which everything must have come to its end.

    `may_repeat`: as many extra sends as workers held at the blows; else none. `silences`: receivers take messages and
    do not say so; each may bring an extra send. `always_accepts`: each request is answered with 202, 99 of 100 within
    half a second. `trouble_lasts`: requests may be refused throughout. `share`: of the messages that a scenario of the
    run usually asks for.
    """

    name: str
    title: str
    trouble: Trouble
    drain: float = 30.0
    may_repeat: bool = False
    always_accepts: bool = False
    silences: bool = False
    share: float = 1.0
    trouble_lasts: bool = False


SCENARIOS: Sequence[Scenario] = (
    Scenario(name="quiet", title="Nothing happens", trouble=nothing, drain=10.0, always_accepts=True),
    Scenario(
        name="pool-children",
        title="A random pool process killed every second",
        trouble=repeated(blows.pool_child, seconds=1.0),
        drain=60.0,
        may_repeat=True,
        always_accepts=True,
    ),
    Scenario(
        name="workers",
        title="A whole worker killed every 2 s",
        trouble=repeated(blows.worker, seconds=2.0),
        drain=60.0,
        may_repeat=True,
        always_accepts=True,
    ),
    Scenario(
        name="web",
        title="Web processes killed every 3 s",
        trouble=repeated(blows.web, blows.web_child, seconds=3.0),
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
        may_repeat=True,
    ),
    Scenario(
        name="postgres-immediate",
        title="PostgreSQL crashed every 4 s",
        trouble=repeated(partial(blows.postgres, how=IMMEDIATE), seconds=4.0, times=10),
        drain=60.0,
        may_repeat=True,
    ),
    Scenario(
        name="postgres-line",
        title="A slow line to PostgreSQL, 5 % reset each second, COMMITs cut",
        trouble=bad_line_to_postgres,
        trouble_lasts=True,
        drain=60.0,
        may_repeat=True,
        share=0.25,
    ),
    Scenario(
        name="providers",
        title="Providers: 30 % 500, 10 % hang, 5 % reset after accept, 5 % 429",
        trouble=providers,
        drain=180.0,
        silences=True,
        share=0.5,
    ),
    Scenario(
        name="frozen-worker",
        title="A worker frozen inside its sends for 90 s, then let go",
        trouble=frozen_worker,
        drain=60.0,
        may_repeat=True,
        always_accepts=True,
        share=0.5,
    ),
)
EVERYTHING = Scenario(
    name="everything",
    title="One blow of each kind in half a minute, beside providers that fail now and then",
    trouble=everything,
    drain=DEAF + 20.0,
    may_repeat=True,
    silences=True,
)
QUICK: Sequence[Scenario] = (EVERYTHING,)
EVERY: Sequence[Scenario] = (*SCENARIOS, EVERYTHING)
