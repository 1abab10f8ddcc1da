"""One renderer: a clean new process, spoken to through two pipes, killed when it does not answer in time.

It starts from an exec with an empty environment and no file of ours but the pipes, in a session of its own: Ctrl-C does
not reach it, the end of its input ends it, and so does the end of this process, however that comes about.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from notification_processor.renderer.wire import HEADER, MAX_FRAME, decoded

START_SECONDS = 10.0  # a loaded machine takes its time
PROGRAM = Path(__file__).with_name("renderer") / "__main__.py"
NEEDS = ("jinja2", "markupsafe", "orjson")
KEPT_VARIABLES = ("LD_LIBRARY_PATH",)  # without it some Pythons do not start
PIECE = 1 << 16
LEFT = (0, -signal.SIGALRM)  # it was idle for long, or worn out
USED_UP = (-signal.SIGPROF, -signal.SIGXCPU)


class Gone(Exception):
    """The process ended, or was killed, before it answered. `code` as subprocess has it, None for one out of time."""

    def __init__(self, code: int | None) -> None:
        super().__init__("did not answer in time" if code is None else f"ended with the code {code}")
        self.code = code

    @property
    def has_left(self) -> bool:
        """By itself and between two questions."""
        return self.code in LEFT

    @property
    def has_used_up_its_time(self) -> bool:
        return self.code in USED_UP


class Unstartable(Exception):
    """No renderer can be had. The text says why, for operators."""


class Renderer:
    """Not to be used by two threads at once. Raises Unstartable."""

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", str(PROGRAM), *_folders()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
                cwd="/",
                bufsize=0,
                start_new_session=True,
            )
        except OSError as exc:
            raise Unstartable(f"the process does not start: {exc}") from exc
        self._pipes = [pipe for pipe in (self._process.stdin, self._process.stdout) if pipe]
        self._to, self._from = (pipe.fileno() for pipe in self._pipes)
        os.set_blocking(self._to, False)
        self._writable, self._readable = _polled(self._to, select.POLLOUT), _polled(self._from, select.POLLIN)
        self.limits = self._hello()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, question: bytes, *, seconds: float) -> Any:
        """Raises Gone; then this one is no more."""
        until = time.monotonic() + seconds
        try:
            self._send(HEADER.pack(len(question)) + question, until)
            return decoded(self._receive(until))
        except (OSError, EOFError, ValueError) as exc:  # the last: what came is not JSON
            raise Gone(self._ended(timed_out=isinstance(exc, TimeoutError))) from exc

    def close(self) -> None:
        """Ends it, with all that it was at."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a machine in trouble: it is reaped later
            self._process.wait(timeout=1.0)
        self._close_pipes()

    def forget(self) -> None:
        """After a fork: it is the parent's. With the pipes held open here it would not see the parent's end."""
        self._process.returncode = 0
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in self._pipes:
            pipe.close()

    def _hello(self) -> dict[str, Any]:
        try:
            limits: dict[str, Any] = decoded(self._receive(time.monotonic() + START_SECONDS))
        except (OSError, EOFError, ValueError) as exc:
            code = self._ended(timed_out=isinstance(exc, TimeoutError))
            raise Unstartable(f"the process {Gone(code)} instead of taking its limits") from exc
        if "error" in limits:
            self.close()
            raise Unstartable(f"the process cannot take its limits: {limits['error']}")
        return limits

    def _ended(self, *, timed_out: bool) -> int | None:
        """Its exit code, once it is gone for sure."""
        try:
            code = None if timed_out else self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            code = None
        self.close()
        return code

    def _send(self, frame: bytes, until: float) -> None:
        rest = memoryview(frame)
        while rest:
            try:
                rest = rest[os.write(self._to, rest) :]
            except BlockingIOError:
                _wait(self._writable, until)

    def _receive(self, until: float) -> bytes:
        """One frame: there is never more in the pipe. Mostly it comes in one piece."""
        got = bytearray()
        size = HEADER.size
        while len(got) < size:
            _wait(self._readable, until)
            part = os.read(self._from, PIECE)
            if not part:
                raise EOFError
            got += part
            if size == HEADER.size and len(got) >= size:
                size += HEADER.unpack_from(got)[0]
                if size > MAX_FRAME:
                    raise OSError("an answer of an impossible length")
        return bytes(got[HEADER.size :])


def _polled(pipe: int, event: int) -> select.poll:
    poll = select.poll()
    poll.register(pipe, event)
    return poll


def _wait(poll: select.poll, until: float) -> None:
    if not poll.poll(max(0.0, until - time.monotonic()) * 1_000):
        raise TimeoutError


@cache
def _folders() -> Sequence[str]:
    """Where our package and the few libraries lie: `site` is not run, it takes longer than all the rest."""
    found = [str(PROGRAM.parent.parent.parent)]
    for name in NEEDS:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise Unstartable(f"{name} is not installed")
        found.append(str(Path(spec.origin).parent.parent))
    return tuple(dict.fromkeys(found))
