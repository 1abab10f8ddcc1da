"""One renderer: a clean new process, spoken to through two pipes, killed when it does not answer in time.

It starts from an exec with an empty environment and no file of ours but the pipes, in a session of its own: Ctrl-C does
not reach it, the end of its input ends it, and so does the end of this process, however that comes about.
"""

import contextlib
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from notification_processor.renderer.wire import HEADER, MAX_FRAME, understood

START_SECONDS = 10.0  # a loaded machine takes its time
PROGRAM = Path(__file__).with_name("renderer") / "__main__.py"
NEEDS = ("jinja2", "markupsafe", "orjson")
KEPT_VARIABLES = ("LD_LIBRARY_PATH",)  # without it some Pythons do not start
PIECE = 1 << 16
SLOW = 0.1  # seconds of processor time that no template needs that means well
LEFT = (0, -signal.SIGALRM)  # it was idle for long, or worn out
BABBLES = 1  # as exit code, of one that had to be ended because it answered nonsense
CPU_OF_PROCESS = 2  # how Linux makes a clock's number of a process's, as clock_getcpuclockid does
USED_UP = (-signal.SIGPROF, -signal.SIGXCPU)


_killed: "deque[subprocess.Popen[bytes]]" = deque()


class Gone(Exception):
    """The process ended, or was killed, before it answered. `code` as subprocess has it, None for one out of time.

    `worked`: seconds of processor time that it has had for the question, where that is known.
    """

    def __init__(self, code: int | None, *, worked: float = 0.0) -> None:
        late = f"did not answer in time, and worked for {worked:.2f} s of it"
        super().__init__(late if code is None else f"ended with the code {code}")
        self.code, self.worked = code, worked

    @property
    def has_left(self) -> bool:
        """By itself and between two questions."""
        return self.code in LEFT

    @property
    def has_used_up_its_time(self) -> bool:
        return self.code in USED_UP or self.worked >= SLOW


class Unstartable(Exception):
    """No renderer can be had. The text says why, for operators."""


class Starting(Exception):
    """It is not ready yet, and goes on getting ready."""

    def __str__(self) -> str:
        return "the renderer is still starting"


class Renderer:
    """Not to be used by two threads at once. It is started at once, and waited for when it is first needed."""

    def __init__(self) -> None:
        """Raises Unstartable."""
        self._began = time.monotonic()
        if os.name != "posix":
            raise Unstartable("templates need processes that can bound themselves: run this on Linux or macOS")
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
        self.limits: dict[str, Any] = {}
        os.set_blocking(self._to, False)
        self._writable, self._readable = _polled(self._to, select.POLLOUT), _polled(self._from, select.POLLIN)

    def wait(self, until: float = math.inf) -> None:
        """For it to take its limits. Raises Starting when it has not `until` then, or Unstartable."""
        if not self.limits:
            self._listen(until)
            self.limits = self._hello()
            bury()  # the one before it, most likely

    @property
    def is_ready(self) -> bool:
        """Whether nobody would have to wait for it: it has spoken, or ended."""
        return bool(self.limits) or _has_come(self._readable, 0.0)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, question: bytes, *, seconds: float) -> Any:
        """Of one that has told its limits. Raises Gone; then this one is no more."""
        until, worked = time.monotonic() + seconds, self._worked()
        try:
            self._send(HEADER.pack(len(question)) + question, until)
            return understood(self._receive(until))
        except ValueError as exc:  # what came is not JSON
            self.close()
            raise Gone(BABBLES) from exc
        except TimeoutError as exc:
            worked = self._worked() - worked
            self.close()
            raise Gone(None, worked=worked) from exc
        except (OSError, EOFError) as exc:
            raise Gone(self._ended()) from exc

    def close(self) -> None:
        """Ends it, with all that it was at. Nobody waits for its end: that takes its time where there is much to do."""
        self._process.kill()
        self._close_pipes()
        _killed.append(self._process)
        bury()

    def forget(self) -> None:
        """After a fork: it is the parent's. With the pipes held open here it would not see the parent's end."""
        self._process.returncode = 0
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in self._pipes:
            pipe.close()

    def _listen(self, until: float) -> None:
        """For its first word, or its end."""
        given_up = self._began + START_SECONDS
        if not _has_come(self._readable, min(until, given_up)) and until < given_up:
            raise Starting

    def _hello(self) -> dict[str, Any]:
        try:
            limits: dict[str, Any] = understood(self._receive(self._began + START_SECONDS))
        except (OSError, EOFError, ValueError) as exc:
            code = None if isinstance(exc, TimeoutError) else self._ended()
            self.close()
            raise Unstartable(f"the process {Gone(code)} instead of taking its limits") from exc
        if "error" in limits:
            self.close()
            raise Unstartable(f"the process cannot take its limits: {limits['error']}")
        return limits

    def _ended(self) -> int | None:
        """Its exit code, once it is gone for sure."""
        try:
            return self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.close()

    def _worked(self) -> float:
        """Seconds of processor time in its life; 0 where the system does not tell."""
        try:
            return time.clock_gettime((~self.pid << 3) | CPU_OF_PROCESS)
        except (AttributeError, OSError, OverflowError):
            return 0.0

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
                    raise ValueError("an answer of an impossible length")
        return bytes(got[HEADER.size :])


def _polled(pipe: int, event: int) -> "select.poll":
    poll = select.poll()
    poll.register(pipe, event)
    return poll


def _wait(poll: "select.poll", until: float) -> None:
    if not _has_come(poll, until):
        raise TimeoutError


def _has_come(poll: "select.poll", until: float) -> bool:
    return bool(poll.poll(max(0.0, until - time.monotonic()) * 1_000))


def bury(seconds: float = 0.0) -> None:
    """Those that were killed are reaped, if they have ended by now, or do so within these seconds; else next time."""
    until = time.monotonic() + seconds
    while _killed:
        _bury_all()
        if time.monotonic() >= until:
            return
        time.sleep(0.001)


def _bury_all() -> None:
    for _ in range(len(_killed)):
        with contextlib.suppress(IndexError):  # another thread has taken it
            one = _killed.popleft()
            if one.poll() is None:
                _killed.append(one)


@cache
def _folders() -> Sequence[str]:
    """Where our package and the few libraries lie: `site` is not run, it takes longer than all the rest."""
    found = [str(Path(__file__).parent.parent)]
    for name in NEEDS:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise Unstartable(f"{name} is not installed")
        found.append(str(Path(spec.origin).parent.parent))
    return tuple(dict.fromkeys(found))
