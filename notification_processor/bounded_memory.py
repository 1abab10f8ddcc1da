"""What a process remembers of tenants' words, bounded by what it takes: any tenant may have any number of any size."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

ENTRY = 200  # characters' worth of memory that any entry takes besides its own
K = TypeVar("K")
V = TypeVar("V")


class BoundedMemory(Generic[K, V]):
    """First in, first out. `most`: characters of all entries together."""

    def __init__(self, most: int) -> None:
        self._known: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._left = most
        self._lock = threading.Lock()

    def __contains__(self, key: K) -> bool:
        return key in self._known

    def get(self, key: K) -> V | None:
        value, _ = self._known.get(key, (None, 0))
        return value

    def keep(self, key: K, value: V, *, size: int) -> None:
        """`size` in characters. What is known already stays as it is."""
        with self._lock:
            if key in self._known:
                return
            self._known[key] = value, ENTRY + size
            self._left -= ENTRY + size
            while self._left < 0:
                _, (_, freed) = self._known.popitem(last=False)
                self._left += freed

    def forget(self, key: K) -> None:
        with self._lock:
            _, freed = self._known.pop(key, (None, 0))
            self._left += freed
