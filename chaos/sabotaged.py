"""Starts a part of the product with one of its safeguards taken out: a run has to see that it is gone.

python -m chaos.sabotaged no-sweep -m celery -A traffic_control worker …
python -m chaos.sabotaged no-sweep manage.py dispatcher
"""

import os
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import django


def no_sweep() -> None:
    """What dead workers held is never free again."""
    leases = part("delivery_gateway.leases")
    leases.release_lapsed = lambda **_: 0
    no_journal()


def no_journal() -> None:
    """Nobody knows how far a dead worker was."""
    part("django.conf").settings.JOURNAL_DIR = ""


def no_doubt() -> None:
    """A worker that died may have sent what it held, and nobody counts it."""
    leases = part("delivery_gateway.leases")
    honest = leases.step_after_lapse
    leases.step_after_lapse = lambda *given, **named: replace(honest(*given, **named), counts_ambiguous=False)


def no_backstop() -> None:
    """A wake-up that is lost is lost."""
    part("notification_processor.dispatching").wake_waiting = lambda now: None


def no_fence() -> None:
    """Whoever comes back with an outcome writes it down, however late."""
    leases, ledger = part("delivery_gateway.leases"), part("delivery_gateway.models").NotificationLog.objects
    honest = leases.update_from_values

    def late(model: Any, columns: Any, rows: Sequence[Sequence[Any]], **named: Any) -> Any:
        if named.get("match") == ("id", "fence"):
            fences = dict(ledger.filter(id__in=[r[0] for r in rows]).values_list("id", "fence"))
            rows, named["where"] = [(r[0], fences[r[0]], *r[2:]) for r in rows], "t.status <> 'pending'"
        return honest(model, columns, rows, **named)

    leases.update_from_values = late


def early_ack() -> None:
    """Messages count as sent when they are taken up, before they leave."""
    flight, leases = part("delivery_gateway.flight"), part("delivery_gateway.leases")
    receipt, take = part("delivery_gateway.contract").Receipt, flight.Flight.take

    def hasty(self: Any, jobs: Sequence[Any]) -> None:
        now = part("django.utils.timezone").now()
        if jobs:
            leases.finish([leases.Outcome(job.row, receipt(), now) for job in jobs])
        take(self, jobs)

    flight.Flight.take = hasty


def part(module: str) -> Any:
    """Django is set up by now, and not when this file is read."""
    return import_module(module)


SABOTAGES: Mapping[str, Callable[[], None]] = {
    "no-sweep": no_sweep,
    "no-doubt": no_doubt,
    "no-backstop": no_backstop,
    "no-fence": no_fence,
    "early-ack": early_ack,
    "no-journal": no_journal,
}


def main() -> None:
    name, *command = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")
    django.setup()
    SABOTAGES[name]()
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main()
