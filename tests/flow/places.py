"""Where a running product leaves words: what its processes log, tell Redis, write to journals, and store in rows."""

import base64
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from django.contrib.admin import site
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.flow.stack import wait_until

ROWS = 50  # of each model, whose pages are opened


def spellings(secret: str) -> set[bytes]:
    """As it is, and as it would be written in a URL, in a login, or as bytes in a row."""
    raw = secret.encode()
    shifted = {base64.b64encode(b"\0" * n + raw)[4 if n else 0 : -4] for n in range(3)}  # wherever it stands in a text
    return {raw, quote(secret, safe="").encode(), raw.hex().encode(), *shifted}


def found_in(text: bytes, secrets: Mapping[str, str]) -> list[str]:
    """The names of those that are in there."""
    return [name for name, secret in secrets.items() if any(one in text for one in spellings(secret))]


class Watcher:
    """Everything that is said to Redis, and all that stands in a folder at any time."""

    def __init__(self, url: str, folder: Path) -> None:
        self.client, self.folder = redis.Redis.from_url(url, socket_timeout=None), folder
        self.told: list[bytes] = []
        self.written: set[bytes] = set()
        self.is_over = threading.Event()

    def listen(self) -> None:
        line = self.client.connection_pool.get_connection()
        line.send_command("MONITOR")
        while not self.is_over.is_set():
            self.told.append(bytes(line.read_response(disable_decoding=True)))
        line.disconnect()

    def look(self) -> None:
        while not self.is_over.wait(0.02):
            self.written |= set(contents(self.folder))


@contextmanager
def watching(url: str, folder: Path) -> Iterator[Watcher]:
    watcher = Watcher(url, folder)
    threads = [threading.Thread(target=act, daemon=True) for act in (watcher.listen, watcher.look)]
    for thread in threads:
        thread.start()
    wait_until(lambda: watcher.client.ping() and len(watcher.told) > 1, what="listening to Redis")
    yield watcher
    watcher.is_over.set()
    watcher.client.ping()  # the last word that is listened to
    for thread in threads:
        thread.join(5)


def contents(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                yield path.read_bytes()


def kept_in_redis(url: str) -> Iterator[bytes]:
    """What is left there, whatever its type."""
    client = redis.Redis.from_url(url)
    readers: dict[Any, Callable[[Any], Any]] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": lambda key: client.xrange(key),
    }
    for key in client.scan_iter():
        with suppress(redis.ResponseError):
            yield key + repr(readers[client.type(key)](key)).encode()


def tables_with(secret: str) -> list[str]:
    """Each row is searched as a text: every column of it, JSON and bytes too."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        for (table,) in cursor.fetchall():
            for spelling in spellings(secret):
                cursor.execute(
                    f'SELECT 1 FROM "{table}" AS r WHERE position(%s in r::text) > 0 LIMIT 1',
                    [spelling.decode()],
                )
                if cursor.fetchone():
                    found.append(table)
    return sorted(set(found))


def console_pages(client: Client) -> Iterator[tuple[str, bytes]]:
    """Every list, and the pages of the newest rows."""
    for model in site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield name, client.get(reverse(f"{name}_changelist")).content
        for pk in model._default_manager.order_by("-pk").values_list("pk", flat=True)[:ROWS]:
            for page in ("change", "history"):
                url = reverse(f"{name}_{page}", args=[pk])
                yield url, client.get(url).content


def logs(folder: Path) -> Iterable[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in folder.glob("*.log")]
