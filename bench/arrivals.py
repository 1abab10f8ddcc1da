"""How many messages have arrived, and when the last did: at the sinks, or in the inboxes of the product."""

import json
import time
import urllib.request
from contextlib import closing

import psycopg2

POLL_SECONDS = 0.05
INBOXES = "SELECT count(*), extract(epoch FROM max(created_at)) FROM delivery_gateway_inboxitem"


def reading(source: str, *, at_least: int = 0, wait: float = 0.0) -> tuple[int, float]:
    """(messages so far, unix time of the last). Answers when `at_least` have arrived, or after `wait` seconds.

    `source`: the URL of bench.sinks, or of a database whose inboxes are counted: in-app messages go nowhere else.
    """
    if source.startswith("postgres"):
        return _inbox_reading(source, at_least=at_least, wait=wait)
    told = _ask(f"{source}/count?at_least={at_least}&wait={wait}", wait)
    return int(told["smtp"] + told["http"]), told["last"]


def delay(sink: str, milliseconds: float) -> None:
    """Sets how late the sinks answer, and starts their peak anew."""
    _ask(f"{sink}/count?delay_ms={milliseconds}")


def peak(sink: str) -> int:
    """The most senders that waited for their answer at one time, since the delay was set."""
    return int(_ask(f"{sink}/count")["peak"])


def _ask(url: str, wait: float = 0.0) -> dict[str, float]:
    with urllib.request.urlopen(url, timeout=wait + 10) as answer:
        told: dict[str, float] = json.load(answer)
    return told


def _inbox_reading(url: str, *, at_least: int, wait: float) -> tuple[int, float]:
    deadline = time.monotonic() + wait
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        while True:
            cursor.execute(INBOXES)
            count, last = cursor.fetchone()
            if count >= at_least or time.monotonic() > deadline:
                return count, float(last or 0)
            time.sleep(POLL_SECONDS)
