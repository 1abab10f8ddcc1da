"""Does a noisy or a broken tenant slow down its neighbours? Measured on the real services, beside a quiet run.

    python -m chaos.fairness                                 both scenarios, about 10 minutes
    python -m chaos.fairness --only noisy --rows 10000 --tenants 200
    python -m chaos.fairness --only dead-endpoints

`noisy`: a tenant has so many rows ready, all others send one message each. `dead-endpoints`: 200 tenants send to
endpoints that hang or refuse, 50 to one that works. Exits 1 when the others' p95 from acceptance to the provider's
yes is more than twice that of the quiet run, or 5 seconds, or when the noisy one gets less than half of the capacity.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chaos.neighbours import Waits, as_json, dead_endpoints, send_each, send_many, sent_by, tenants, waits
from chaos.scene import Scene, scene
from dev.console import progress, say
from dev.supervisor import Stopped, stoppable

RESULTS = Path(__file__).parent / "results"
MOST_TIMES, MOST_SECONDS, LEAST_SHARE = 2.0, 5.0, 0.5
PATIENCE = 120.0  # seconds that the last message of a measured group may take
ALONE = 8.0  # seconds for which the noisy one is measured without neighbours
MAIL = {"channel": "email", "to": "ann@example.com", "subject": "Hello", "body": "Still there?"}
DEAD_EACH, HEALTHY_EACH = 10, 10  # messages of a tenant
INTERRUPTED = 130


@dataclass(frozen=True)
class Finding:
    """`share`: of what the noisy one gets alone, as far as there is a noisy one."""

    name: str
    quiet: Waits
    loud: Waits
    share: float | None = None

    @property
    def faults(self) -> Iterator[str]:
        if self.loud.sent < self.loud.asked:
            yield f"{self.loud.asked - self.loud.sent} not sent"
        if self.loud.p95 > MOST_TIMES * self.quiet.p95:
            yield f"p95 is {self.loud.p95 / self.quiet.p95:.1f} times that of the quiet run"
        if self.loud.p95 > MOST_SECONDS:
            yield f"p95 is over {MOST_SECONDS:.0f} s"
        if self.share is not None and self.share < LEAST_SHARE:
            yield f"the noisy one gets {self.share:.0%}"


def noisy(there: Scene, given: argparse.Namespace) -> Finding:
    progress(f"{given.tenants} tenants, one of them with {given.rows:,} rows ready")
    keys, (loud,) = tenants(there, "Single", given.tenants - 1), tenants(there, "Noisy", 1)
    quiet = waits(there, send_each(there, keys, MAIL, rate=given.rate), patience=PATIENCE)
    there.roles.rest("email")
    send_many(there, loud, MAIL, given.rows)
    there.roles.start(["email"])
    while not sent_by(there, "Noisy 0", 0, time.time()):
        time.sleep(0.5)
    time.sleep(ALONE)
    began = time.time()
    ids = send_each(there, keys, MAIL, rate=given.rate)
    ended = time.time()
    found = waits(there, ids, patience=PATIENCE)
    alone = sent_by(there, "Noisy 0", began - ALONE, began) / ALONE
    beside = sent_by(there, "Noisy 0", began, ended) / (ended - began)
    progress(f"the noisy one: {beside:.0f}/s beside the others, {alone:.0f}/s alone")
    return Finding("noisy", quiet, found, beside / alone if alone else 0.0)


def dead(there: Scene, given: argparse.Namespace) -> Finding:
    progress(f"{given.dead} tenants with dead endpoints, {given.healthy} healthy ones")
    well, ill = tenants(there, "Healthy", given.healthy) * HEALTHY_EACH, tenants(there, "Dead", given.dead)
    message = {"channel": "webhook", "to": there.shop.hook, "body": "Still there?"}
    quiet = waits(there, send_each(there, well, message, rate=given.rate), patience=PATIENCE)
    with dead_endpoints() as endpoints:
        for number, key in enumerate(ill):
            send_many(there, key, message | {"to": endpoints[number % len(endpoints)]}, DEAD_EACH)
        ids = send_each(there, well, message, rate=given.rate)
        return Finding("dead-endpoints", quiet, waits(there, ids, patience=PATIENCE))


SCENARIOS: dict[str, Callable[[Scene, argparse.Namespace], Finding]] = {"noisy": noisy, "dead-endpoints": dead}


def tell(found: Finding) -> None:
    for run, seen in (("quiet", found.quiet), ("loud", found.loud)):
        say(
            f"{found.name:<16}{run:<7}{seen.sent:>6} of {seen.asked:<6} median {seen.median * 1000:>7.0f} ms"
            f"   p95 {seen.p95 * 1000:>7.0f} ms   longest {seen.longest * 1000:>7.0f} ms"
        )
    if found.share is not None:
        say(f"{found.name:<16}the noisy one keeps {found.share:.0%} of what it gets alone")
    say(f"{found.name:<16}" + ("; ".join(found.faults) or "as demanded"))


def main() -> int:
    given = arguments()
    folder = RESULTS / f"fairness-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        with stoppable(), scene(folder, seed=0) as there:
            findings = [SCENARIOS[name](there, given) for name in given.only or SCENARIOS]
    except Stopped:
        return INTERRUPTED
    (folder / "fairness.json").write_text(as_json(findings=findings))
    for found in findings:
        tell(found)
    return 1 if any(list(found.faults) for found in findings) else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=sorted(SCENARIOS), help="may be given twice")
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=100_000, help="that the noisy tenant has ready")
    parser.add_argument("--dead", type=int, default=200, help="tenants whose endpoints are dead")
    parser.add_argument("--healthy", type=int, default=50)
    parser.add_argument("--rate", type=float, default=60.0, help="messages a second of all others together")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
