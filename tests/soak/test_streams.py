"""Two thousand live inboxes on one process: what one costs, and how soon all pages of a user hear of a message."""

import asyncio
import json
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections
from django.utils import timezone

from delivery_gateway import inbox
from delivery_gateway.inbox import Owner
from delivery_gateway.models import NotificationLog
from inbox import tokens
from tenants import inbox_secrets
from tests.flow.stack import stack
from traffic_control.ids import uuid7
from user_preferences.models import Customer

USERS, EACH, MESSAGES = 400, 5, 200
PACE = 0.05  # seconds between messages
SETTLING = 15.0  # seconds after the last stream is open
MOST_SECONDS = 0.5

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a process beside the test needs PostgreSQL"),
    pytest.mark.timeout(400),
]


class Page:
    """One open stream; `heard` is when each message came, by its id."""

    def __init__(self) -> None:
        self.heard: dict[str, float] = {}
        self.is_open = asyncio.Event()

    async def read(self, host: str, port: int, token: str) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        asked = f"GET /v1/inbox/stream/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        writer.write(asked.encode())
        try:
            async for line in reader:
                if line.startswith(b"data: "):
                    self.is_open.set()
                    if item_id := json.loads(line[6:]).get("id"):
                        self.heard[item_id] = time.monotonic()
        finally:
            writer.close()


def memory_kb(pid: int) -> int:
    """Proportional, of all processes of the group."""
    total = 0
    for smaps in Path("/proc").glob("[0-9]*/smaps_rollup"):
        try:
            if os.getpgid(int(smaps.parent.name)) == pid:
                total += int(smaps.read_text().split("Pss:")[1].split()[0])
        except (OSError, IndexError):
            continue
    return total


def connections_held(ours: int) -> int:
    """Beside the test's own two."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s)""",
            [ours],
        )
        return int(cursor.fetchone()[0])


def send(owner: Owner) -> str:
    row = NotificationLog(id=uuid7(), tenant_id=owner.tenant_id, customer_id=owner.customer_id, subject="Hello")
    inbox.put([row], now=timezone.now())
    return str(row.id)


def test_two_thousand_streams(acme, tmp_path, settings, capsys):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], 65_536), limit[1]))
    rows = [Customer(tenant=acme.tenant, user_id=f"u{number}") for number in range(USERS)]
    owners = [Owner(acme.tenant.id, row.id) for row in Customer.objects.bulk_create(rows)]
    signer, now = inbox_secrets.newest_of(acme.tenant), time.time()
    signed = [tokens.sign(signer, row.user_id, now=now, seconds=3_600) for row in rows]

    with stack(tmp_path) as running:
        settings.REDIS_KEY_PREFIX = running.prefix
        parts = urlsplit(running.streams())
        pid = running.running["streams"].pid
        before = memory_kb(pid)

        thread = ThreadPoolExecutor(1)
        ours = connection.connection.get_backend_pid()

        async def beside(work: Callable[..., Any], *args: Any) -> Any:
            return await asyncio.get_running_loop().run_in_executor(thread, work, *args)

        async def measured() -> tuple[float, list[float], int, int, int]:
            pages = [[Page() for _ in range(EACH)] for _ in owners]
            began, reading = time.monotonic(), []
            for mine, token in zip(pages, signed, strict=True):
                reading += [asyncio.create_task(page.read("127.0.0.1", parts.port or 0, token)) for page in mine]
                await asyncio.sleep(0.01)
            async with asyncio.timeout(200):
                await asyncio.gather(*(page.is_open.wait() for mine in pages for page in mine))
            opening = time.monotonic() - began
            await asyncio.sleep(SETTLING)
            held, memory = await beside(connections_held, ours), memory_kb(pid)
            sent: list[tuple[int, str, float]] = []
            for number in range(MESSAGES):
                user = number * 7 % USERS
                moment = time.monotonic()
                sent.append((user, await beside(send, owners[user]), moment))
                await asyncio.sleep(PACE)
            await asyncio.sleep(2)
            waits, missed = [], 0
            for user, item_id, moment in sent:
                heard = [page.heard.get(item_id) for page in pages[user]]
                missed += heard.count(None)
                waits += [max(at for at in heard if at) - moment] if None not in heard else []
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
            return opening, sorted(waits), missed, held, memory

        opening, waits, missed, held, memory = asyncio.run(measured())
        thread.submit(connections.close_all).result()

    streams = USERS * EACH
    p50, p95 = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    with capsys.disabled():
        print(
            f"\n{streams} streams open after {opening:.1f} s; {(memory - before) / streams:.1f} KB a stream "
            f"({before / 1024:.0f} MB, then {memory / 1024:.0f} MB); {held} database connections held; "
            f"{MESSAGES} messages at all {EACH} streams of their user: p50 {p50 * 1000:.0f} ms, "
            f"p95 {p95 * 1000:.0f} ms, longest {waits[-1] * 1000:.0f} ms, {missed} missed"
        )
    assert (held, missed) == (0, 0)
    assert p95 < MOST_SECONDS
