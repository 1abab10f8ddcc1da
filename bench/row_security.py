"""What row-level security costs a request, seen closely: `python -m bench.row_security`.

CPU time of this process and of its PostgreSQL backend. Requests go through the whole WSGI stack in this process, and
slices with and without the second layer alternate on one connection, so that whatever else the machine does falls on
both alike. What it comes to in throughput: `python -m bench.isolation`.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from dev.test import throwaway_services

ROUNDS, SLICE = 12, {"notify": 300, "batch of 100": 12, "list": 100}


def main() -> None:
    with throwaway_services() as settings:
        os.environ.update(settings | {"DJANGO_SETTINGS_MODULE": "traffic_control.settings", "LOG_LEVEL": "ERROR"})
        os.environ.update({"ALLOWED_HOSTS": "testserver", "JOURNAL_DIR": ""})
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        measure()


def measure() -> None:
    calls = requests()
    for call in calls.values():
        call()
        with without():
            call()
    for name, call in calls.items():
        found: dict[str, list[float]] = {"with": [], "without": []}
        for _ in range(ROUNDS):
            found["with"].append(slice_of(call, SLICE[name]))
            with without():
                found["without"].append(slice_of(call, SLICE[name]))
        told = {way: median(costs) * 1e6 for way, costs in found.items()}
        rise = median(w / wo - 1 for w, wo in zip(found["with"], found["without"], strict=True))
        sys.stdout.write(f"{name:14} {told['without']:8.0f} µs  {told['with']:8.0f} µs  {rise:+.1%}\n")


def requests() -> dict[str, Callable[[], None]]:
    """By name; each checks its answer."""
    from django.test import Client

    from tenants.services import register

    client = Client(headers={"X-API-KEY": register("Bench", "bench@example.com").api_key})
    send = {"channel": "email", "to": "a@example.com", "subject": "s", "body": "Your order is on its way. " * 8}

    def post(path: str, body: Any) -> Callable[[], None]:
        text = json.dumps(body)

        def call() -> None:
            assert client.post(path, text, content_type="application/json").status_code == 202

        return call

    def look() -> None:
        assert client.get("/v1/notifications/?limit=20").status_code == 200

    batch = {"notifications": [send | {"to": f"a{n}@example.com"} for n in range(100)]}
    return {"notify": post("/v1/notify/", send), "batch of 100": post("/v1/notify/batch/", batch), "list": look}


@contextmanager
def without() -> Iterator[None]:
    """As with ROW_SECURITY=off."""
    from django.db import connection

    raw: Any = connection.connection
    role, raw.narrow_role = raw.narrow_role, ""
    assert role
    try:
        yield
    finally:
        raw.narrow_role = role


def slice_of(call: Callable[[], None], times: int) -> float:
    """CPU seconds a call."""
    before = cpu()
    for _ in range(times):
        call()
    return (cpu() - before) / times


def cpu() -> float:
    """Of this process and of the server's process that serves it, to the nanosecond as Linux counts them."""
    from django.db import connection

    raw: Any = connection.connection
    backend = int(Path(f"/proc/{raw.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9
    return time.process_time() + backend


if __name__ == "__main__":
    main()
