"""Who is cut off: connections of a late address that have said something which is not answered."""

import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from dev.paths import ROOT
from dev.server import GUARDED
from dev.waiting import wait_until
from traffic_control import slow_bodies
from traffic_control.slow_bodies import BodyReader, unanswered_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into Linux's sockets")


class Line:
    """A connection between a client, at an address of its own, and us."""

    def __init__(self, address: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.client = socket.create_connection(listening.getsockname(), source_address=(address, 0))
            self.ours = listening.accept()[0]

    def is_listed(self, address: str) -> bool:
        return self.ours.fileno() in [one.descriptor for one in unanswered_of(address)]

    def read(self, size: int, /) -> bytes:
        """As the server's stream: until there are as many bytes, or the connection ends."""
        got = b""
        while len(got) < size and (piece := self.ours.recv(size - len(got))):
            got += piece
        return got


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line("127.0.0.3")
    yield made
    made.client.close()
    made.ours.close()


def test_unanswered_of_knows_whose_turn_it_is(line: Line) -> None:
    silent = line.is_listed("127.0.0.3")
    line.client.sendall(b"question")
    wait_until(lambda: line.is_listed("127.0.0.3"), seconds=5)
    asked, of_another = line.is_listed("127.0.0.3"), line.is_listed("127.0.0.1")
    line.ours.recv(100)
    line.ours.sendall(b"answer")
    line.client.recv(100)
    answered = line.is_listed("127.0.0.3")

    assert (silent, asked, of_another, answered) == (False, True, False, False)


def test_a_body_that_is_late_ends_the_connection(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_bodies, "BODY_SECONDS", 0.3)
    line.client.sendall(b"half")

    assert BodyReader(4).read(line, 100, peer="127.0.0.3") == b"half"
    assert line.client.recv(100) == b""


def test_a_body_is_given_time_while_few_wait(line: Line) -> None:
    line.client.sendall(b"half")
    threading.Timer(0.5, line.client.sendall, [b"half"]).start()

    assert BodyReader(4).read(line, 8, peer="127.0.0.3") == b"halfhalf"


def test_bodies_have_no_time_when_half_of_the_threads_wait() -> None:
    lines, reader = [Line("127.0.0.4") for _ in range(2)], BodyReader(4)
    began, threads = time.monotonic(), []
    for one in lines:
        one.client.sendall(b"half")
        threads.append(threading.Thread(target=reader.read, args=(one, 100), kwargs={"peer": "127.0.0.4"}))
        threads[-1].start()
    for thread in threads:
        thread.join()

    assert time.monotonic() - began < 3


def test_image_and_make_run_guard_the_server_alike() -> None:
    assert " ".join(GUARDED) in (ROOT / "deploy/entrypoint.sh").read_text()
