"""Answers questions from its standard input until that ends. See `wire` for what they are."""

import os
import signal
import time
from typing import Any

from notification_processor.renderer import limits
from notification_processor.renderer.allowed import SAFE_FILTERS
from notification_processor.renderer.broadcast import Broadcast
from notification_processor.renderer.compiling import Texts, names_in, rendered
from notification_processor.renderer.faults import Fault, explained
from notification_processor.renderer.outlines import outline
from notification_processor.renderer.reading import reads
from notification_processor.renderer.wire import (
    CHECK,
    CUT,
    DONE,
    EACH,
    FAULT,
    HEADER,
    OUTLINE,
    READS,
    RENDER,
    decoded,
    encoded,
)

PIECE = 1 << 16
TURN = 0.2  # seconds of work, and
TURN_TEXT = 1024 * 1024  # characters of text, after which a turn ends and the rest is asked again
Answer = tuple[int, str, Any]
EVERYTHING = (
    "{% for x in a|sort %}{{ loop.index }}{{ x ~ '\\u00e4\\n' }}{% endfor %}{{ nothing }}",
    "{{ 1.5e3 + 2 ** 3 // 2 }}{{ 1 / 0 }}",
    "{{ 'unclosed",
    *(f"{{{{ a|{name} }}}}" for name in SAFE_FILTERS),
    *(f"{{{{ a[0]|{name} }}}}" for name in SAFE_FILTERS),
)


class Question:
    """One turn's jobs, with what they share."""

    def __init__(self, frame: dict[str, Any]) -> None:
        self.sources = [Texts(*source) for source in frame["sources"]]
        self.contexts: list[dict[str, Any]] = frame["contexts"]
        self.jobs: list[Any] = frame["jobs"]
        self._broadcasts: dict[tuple[int, int], Broadcast] = {}

    def answers(self) -> list[Answer]:
        given: list[Answer] = []
        end, length = time.perf_counter() + TURN, 0
        for job in self.jobs:
            limits.start_clock()
            answer = self._timed(job)
            given.append(answer)
            length += _length(answer[2]) if answer[1] == DONE else 0
            if length > TURN_TEXT or time.perf_counter() > end:
                break
        limits.stop_clock()
        return given

    def _timed(self, job: Any) -> Answer:
        began = time.perf_counter_ns()
        try:
            kind, value = DONE, self._done(*job)
        except Fault as fault:
            kind, value = FAULT, (fault.detail, fault.part, fault.line, fault.column)
        except Exception as exc:  # in here all is the template's doing
            kind, value = FAULT, (explained(exc, {}), "body", None, None)
        return (time.perf_counter_ns() - began) // 1_000, kind, value

    def _done(self, what: str, number: int, context: int, customer: Any) -> Any:
        source = self.sources[number]
        if what == CHECK:
            return names_in(source)
        if what == READS:
            return reads(source)
        if what == OUTLINE:
            return outline(source)
        if what == CUT:
            return self._broadcast(number, context).outline()
        if what == EACH:
            return self._broadcast(number, context).rendered(customer)
        shared = self.contexts[context]
        return rendered(source, shared if customer is None else {**shared, "customer": customer})

    def _broadcast(self, source: int, context: int) -> Broadcast:
        if (source, context) not in self._broadcasts:
            self._broadcasts[source, context] = Broadcast(self.sources[source], self.contexts[context])
        return self._broadcasts[source, context]


def _length(value: Any) -> int:
    """Of all texts in it."""
    if isinstance(value, str):
        return len(value)
    return sum(map(_length, value)) if isinstance(value, list | tuple) else 0


def serve() -> None:
    """Says what limits it is under, or why it cannot be, then answers."""
    try:
        limits.bound()
        _warm_up()
        limits.seal()
    except Exception as exc:
        _write(encoded({"error": f"{type(exc).__name__}: {exc}"}))
        return
    _write(encoded(limits.in_force()))
    while frame := _read():
        _write(encoded(Question(decoded(frame)).answers()))
        if limits.is_worn_out(time.process_time()):
            return


def _warm_up() -> None:
    """Whatever Jinja, its filters and Python import on first use is imported now; later nothing can be."""
    work = {"sources": [["", text, text] for text in EVERYTHING], "contexts": [{"a": ["1"]}]}
    jobs = [[what, 0, 0, {}] for what in (EACH, OUTLINE, CUT, CHECK, READS)]
    for job in (*jobs, *([RENDER, number, 0, None] for number in range(len(EVERYTHING)))):
        Question(work | {"jobs": [job]}).answers()


def _read() -> bytes:
    """A question; empty at the end of the input. Who waits too long ends by SIGALRM."""
    signal.alarm(limits.IDLE)
    got = bytearray()
    size = HEADER.size
    while len(got) < size:
        part = os.read(0, max(size - len(got), PIECE))
        if not part:
            return b""
        got += part
        if size == HEADER.size and len(got) >= size:
            size += HEADER.unpack_from(got)[0]
    return bytes(got[HEADER.size :])


def _write(document: bytes) -> None:
    rest = memoryview(HEADER.pack(len(document)) + document)
    while rest:
        rest = rest[os.write(1, rest) :]
