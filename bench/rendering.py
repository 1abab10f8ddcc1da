"""What rendering in a process apart costs: `python -m bench.rendering [--rounds 15]`.

The same texts are made by the same code in this process and in a renderer, in slices that alternate. What counts is
processor time, the renderer's included, so a machine with other work matters little; of the ratios within a round, the
median and the quartiles.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from notification_processor.renderer.broadcast import Broadcast
from notification_processor.renderer.compiling import Texts, rendered

LINES = [{"q": n, "name": f"thing <{n}>", "price": n * 1.111} for n in range(4)]
DATA = {"id": 7, "name": "Ann", "total": 12.5, "lines": LINES}
NAMES = Texts("Order {{ id }}", "Order {{ id }} is on its way.", "<p>Dear {{ name }}, order <b>{{ id }}</b></p>" * 5)
LOOP = "{% for i in lines %}{{ i.q }} x {{ i.name|upper }}, {{ i.price|round(2) }}\n{% endfor %}"
GREETING = "{% if customer.name %}Hi {{ customer.name }},{% endif %}\n"
LOOPS = Texts("Order {{ id }}", GREETING + LOOP + "Total: {{ total }}", GREETING + "<p>" + LOOP + "</p>{{ total }}")
RANK = "{% for i in lines %}{{ loop.index }}. {{ i.name }}\n{% endfor %}"  # more than an outline says
MORE = Texts(LOOPS.subject, LOOPS.body.replace(LOOP, RANK), LOOPS.html.replace(LOOP, RANK))
SLICE = 2_000  # texts
CPU_OF_PROCESS = 2  # see renderer_process
Make = Callable[[], None]


@dataclass(frozen=True)
class Case:
    title: str
    here: Make
    apart: Make


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    django()
    for case in cases():
        print(case.title, *row(case, rounds), sep=" | ")


def django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")
    import django

    django.setup()


def cases() -> Sequence[Case]:
    people = [{"name": f"N{n}", "email": "", "user_id": str(n), "attributes": {}} for n in range(SLICE)]
    contexts = [DATA | {"id": n, "customer": people[n]} for n in range(SLICE)]
    return [
        Case("names, one at a time", each_here(NAMES, contexts), in_batches(NAMES, contexts, 1)),
        Case("loops, one at a time", each_here(LOOPS, contexts), in_batches(LOOPS, contexts, 1)),
        Case("more, one at a time", each_here(MORE, contexts), in_batches(MORE, contexts, 1)),
        Case("more, 100 in a request", each_here(MORE, contexts), in_batches(MORE, contexts, 100)),
        Case("more, 500 events", each_here(MORE, contexts), in_batches(MORE, contexts, 500)),
        Case("loops, one event for all", broadcast_here(LOOPS, people), broadcast_apart(LOOPS, people)),
    ]


def each_here(source: Texts, contexts: Sequence[dict[str, Any]]) -> Make:
    def make() -> None:
        for context in contexts:
            rendered(source, context)

    return make


def broadcast_here(source: Texts, people: Sequence[dict[str, Any]]) -> Make:
    def make() -> None:
        cut = Broadcast(source, DATA | {"customer": {}})
        for customer in people:
            cut.rendered(customer)

    return make


def in_batches(source: Texts, contexts: Sequence[dict[str, Any]], size: int) -> Make:
    from notification_processor.rendering import Order, Source, render_many

    orders = [Order(Source("bench" + source.body, "email", *source), context) for context in contexts]

    def make() -> None:
        for start in range(0, len(orders), size):
            render_many(orders[start : start + size])

    return make


def broadcast_apart(source: Texts, people: Sequence[dict[str, Any]]) -> Make:
    from notification_processor.rendering import Order, Source, render_many

    shared = DATA | {"customer": {}}
    orders = [Order(Source("bench" + source.body, "email", *source), shared, customer) for customer in people]

    def make() -> None:
        render_many(orders)

    return make


def row(case: Case, rounds: int) -> Sequence[str]:
    taken = [(spent(case.here), spent(case.apart)) for _ in range(rounds + 1)][1:]  # the first one warms up
    here, apart = (statistics.median(way) / SLICE * 1e6 for way in zip(*taken, strict=True))
    low, middle, high = statistics.quantiles([apart / here for here, apart in taken])
    return f"{here:.0f} µs", f"{apart:.0f} µs", f"{apart - here:+.0f} µs", f"{middle:.2f} ({low:.2f} to {high:.2f})"


def spent(make: Make) -> float:
    """Processor seconds of this process and its renderer."""
    before = time.process_time() + of_renderers()
    make()
    return time.process_time() + of_renderers() - before


def of_renderers() -> float:
    from notification_processor.renderer_pool import POOL

    pids = [place.renderer().pid for place in POOL._places[-1:]]
    return sum(time.clock_gettime((~pid << 3) | CPU_OF_PROCESS) for pid in pids)


if __name__ == "__main__":
    main()
