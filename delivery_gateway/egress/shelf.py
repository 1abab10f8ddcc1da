"""Connections at rest between two messages: newest first, bounded, closed in time, never shared with a fork."""

import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closable)
_shelves: "weakref.WeakSet[Shelf[Any]]" = weakref.WeakSet()


class Shelf(Generic[T]):
    """Whoever takes a connection has it alone until it is put back. `close` of a connection must not wait for long."""

    def __init__(self, *, rest_seconds: float, per_key: int, in_all: int) -> None:
        self._rest_seconds, self._per_key, self._in_all = rest_seconds, per_key, in_all
        self.forget()
        _shelves.add(self)

    def forget(self) -> None:
        """Drops everything without a word on the wire: what a forked child must do with its parent's connections."""
        self._lock = threading.Lock()
        self._resting: OrderedDict[Hashable, deque[tuple[float, T]]] = OrderedDict()
        self._count = 0
        self._sweeper: threading.Timer | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, key: Hashable) -> T | None:
        """The connection that was put back last, unless it has rested too long."""
        with self._lock:
            row = self._resting.get(key)
            if not row or row[-1][0] < time.monotonic() - self._rest_seconds:
                return None
            self._count -= 1
            connection = row.pop()[1]
            if not row:
                del self._resting[key]
            return connection

    def put(self, key: Hashable, connection: T) -> None:
        with self._lock:
            row = self._resting.setdefault(key, deque())
            self._resting.move_to_end(key)
            row.append((time.monotonic(), connection))
            self._count += 1
            surplus = [self._drop(key)] if len(row) > self._per_key else []
            if self._count > self._in_all:
                surplus.append(self._drop(next(iter(self._resting))))
            self._schedule_sweep()
        _close(surplus)

    def clear(self, key: Hashable = None) -> None:
        """Closes what rests under `key`; everything when there is none."""
        with self._lock:
            keys = list(self._resting) if key is None else [key] if key in self._resting else []
            dropped = [self._drop(k) for k in keys for _ in range(len(self._resting[k]))]
        _close(dropped)

    def sweep(self) -> None:
        """Closes what has rested too long."""
        with self._lock:
            self._sweeper = None
            oldest = time.monotonic() - self._rest_seconds
            late = [(k, sum(since <= oldest for since, _ in row)) for k, row in self._resting.items()]
            dropped = [self._drop(k) for k, count in late for _ in range(count)]
            self._schedule_sweep()
        _close(dropped)

    def _drop(self, key: Hashable) -> T:
        row = self._resting[key]
        self._count -= 1
        connection = row.popleft()[1]
        if not row:
            del self._resting[key]
        return connection

    def _schedule_sweep(self) -> None:
        if self._count and self._sweeper is None:
            self._sweeper = threading.Timer(self._rest_seconds, self.sweep)
            self._sweeper.daemon = True
            self._sweeper.start()


def _close(connections: list[T]) -> None:
    for connection in connections:
        connection.close()


def _forget_all() -> None:
    for shelf in list(_shelves):
        shelf.forget()


os.register_at_fork(after_in_child=_forget_all)
