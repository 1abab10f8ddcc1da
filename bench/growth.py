"""What size costs: `python -m bench.growth [--rows 10000000]`.

Two ledgers on one PostgreSQL, durable as it comes: a small one of 10,000 rows and a large one, over the same 90 days
and so with the same months. Short slices alternate between them; what counts is the ratio within a round, and of those
the median. Then a million rows are queued in the large one, and delivering is compared again; then a month goes.
"""

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.machine import description
from bench.servers import Servers, servers
from bench.tables import markdown, shown
from dev.console import progress, say
from dev.paths import PYTHON, ROOT

START = "import django; django.setup(); from bench.growth_subject import main; main()"
SMALL, FEW_WAITING = 10_000, 1_000
ROUNDS, CALLS, LOOKS, BATCHES = 9, 15, 5, 5
TITLES = {
    "list": "newest 50 of a tenant with half of all rows",
    "page_deep": "50 from the middle of its time, by cursor",
    "list_failed": "its newest 50 that failed",
    "history_of_user": "newest 50 of one of its users",
    "detail": "one notification with its timeline",
    "event": "an event's notifications, and their counts by status",
    "dead_letters": "its newest 50 dead letters",
    "counters": "its totals of 30 days, from the counters",
    "claim": "claim 100",
    "pending": "100 for the router",
    "promote": "100 that have come due",
    "nothing_due": "what has expired or lapsed: nothing",
}
PAGES = {
    "dashboard": "dashboard, 24 hours",
    "dashboard_week": "dashboard, 7 days",
    "messages": "messages of all tenants",
    "messages_deep": "those from the middle of the 90 days on",
    "messages_failed": "one tenant's that failed",
    "messages_none": "those on a channel that none is on",
    "messages_of_user": "search for a user_id",
    "messages_to": "search for an address, of which there is none",
    "message_by_id": "search for an id",
    "message": "a message with its attempts and decisions",
    "letters": "dead letters of all tenants",
    "letters_waiting": "one tenant's that wait",
    "letters_deep": "those from the middle on",
    "letter_by_message": "search for a message's id",
    "causes": "dead letters by cause",
    "customers": "customers",
    "customer": "search for a user_id",
    "preferences": "preferences",
    "preferences_of": "search for a user_id",
    "events": "events",
    "events_deep": "those from the middle on",
    "explain": "a person's newest events, to explain one",
    "audit": "audit trail",
    "audit_deep": "that from the middle on",
    "audit_of": "search for an object's id",
}

Answer = tuple[float, float]  # milliseconds, and those of CPU time


@dataclass(frozen=True)
class Line:
    title: str
    small_ms: float
    large_ms: float
    ratio: float
    cpu_ratio: float
    queries: int = 0


class Ledger:
    """A `bench.growth_subject` on a database of its own."""

    def __init__(self, server: Servers, name: str) -> None:
        environment = os.environ | {
            "DATABASE_URL": server.make_database(name),
            "REDIS_URL": server.redis_url,
            "CELERY_BROKER_URL": server.redis_url,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_SETTINGS_MODULE": "traffic_control.settings",
            "LOG_LEVEL": "ERROR",
            "CONTENT_DAYS": "0",  # the made-up past stays as it is
        }
        command = [str(PYTHON), "-c", START]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def ask(self, word: str, number: int = 1) -> Any:
        """Of what is measured, an Answer."""
        assert self.process.stdin
        self.process.stdin.write(f"{word} {number}\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("The process that holds the ledger has ended; its traceback is above.")
        return json.loads(line)

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


@contextmanager
def ledgers(rows: int) -> Iterator[tuple[Ledger, Ledger]]:
    with tempfile.TemporaryDirectory(prefix="growth-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        with servers(Path(folder)) as server:
            small, large = Ledger(server, "small"), Ledger(server, "large")
            try:
                progress(f"Filling a ledger of {SMALL:,} and one of {rows:,} rows")
                small.ask("seed", SMALL)
                large.ask("seed", rows)
                yield small, large
            finally:
                small.stop()
                large.stop()


def compare(small: Ledger, large: Ledger, word: str) -> Line:
    return line_of(TITLES[word], _rounds(small, large, word, CALLS))


def compare_page(small: Ledger, large: Ledger, word: str) -> Line:
    found = line_of(PAGES[word], _rounds(small, large, f"page:{word}", LOOKS))
    return replace(found, queries=max(ledger.ask(f"queries:{word}") for ledger in (small, large)))


def _rounds(small: Ledger, large: Ledger, word: str, calls: int) -> list[tuple[Answer, Answer]]:
    return [(small.ask(word, calls), large.ask(word, calls)) for _ in range(ROUNDS + 1)]


def line_of(title: str, rounds: Sequence[tuple[Answer, Answer]]) -> Line:
    """The first round has warmed up and does not count."""
    counted = rounds[1:]
    small_ms, large_ms = (statistics.median(ms for ms, _ in answers) for answers in zip(*counted, strict=True))
    ratio, cpu_ratio = (statistics.median(large[n] / small[n] for small, large in counted) for n in (0, 1))
    return Line(title, small_ms, large_ms, ratio, cpu_ratio)


def delivering(small: Ledger, large: Ledger, waiting: int) -> Line:
    """The small ledger is filled up to FEW_WAITING before each slice; in the large one a slice is nothing."""
    progress(f"Delivering with {FEW_WAITING:,} and with {waiting:,} waiting")
    large.ask("backlog", waiting)
    for ledger in (small, large):
        ledger.ask("settle")
    rounds = []
    for _ in range(ROUNDS + 1):
        small.ask("backlog", FEW_WAITING)
        rounds.append((small.ask("deliver", BATCHES), large.ask("deliver", BATCHES)))
    return line_of(f"claim 100 and record them as sent, {FEW_WAITING:,} and {waiting:,} waiting", rounds)


def table(lines: Sequence[Line], rows: int) -> str:
    head = ["what", f"ms at {SMALL:,} rows", f"ms at {rows:,}", "ratio", "of CPU time"]
    return markdown(head, map(row_of, lines))


def table_of_pages(lines: Sequence[Line], rows: int) -> str:
    head = ["page", f"ms at {SMALL:,} rows", f"ms at {rows:,}", "ratio", "of CPU time", "queries"]
    return markdown(head, ([*row_of(one), str(one.queries)] for one in lines))


def row_of(one: Line) -> list[str]:
    return [one.title, shown(one.small_ms), shown(one.large_ms), f"{one.ratio:.2f}", f"{one.cpu_ratio:.2f}"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--backlog", type=int, default=1_000_000, help="queued in the large ledger; 10,000 or more")
    parser.add_argument("--only-pages", action="store_true", help="of the console, and nothing else")
    given = parser.parse_args(arguments)
    with ledgers(given.rows) as (small, large):
        large.ask("bytes")
        pages, lines = [], []
        for word, title in PAGES.items():
            progress(title)
            pages.append(compare_page(small, large, word))
        say(table_of_pages(pages, given.rows))
        for word, title in () if given.only_pages else TITLES.items():
            progress(title)
            lines.append(compare(small, large, word))
        if not given.only_pages:
            lines.append(delivering(small, large, given.backlog))
            large.ask("drop_month")
            say(table(lines, given.rows))
    say("\n" + ", ".join(f"{name} {value}" for name, value in description().items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
