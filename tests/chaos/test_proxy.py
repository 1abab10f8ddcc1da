"""A line that breaks when told."""

import socket
import threading
import time

import pytest

from chaos.told import launch
from dev.processes import stop_all
from tests.flow.stack import wait_until


@pytest.fixture
def echo():
    """The port of a server that says what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def serve(server):
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=say_again, args=(connection,), daemon=True).start()


def say_again(connection):
    with connection:
        try:
            while heard := connection.recv(1000):
                connection.sendall(heard)
        except OSError:
            return


@pytest.fixture
def proxy(echo):
    told = launch("chaos.proxy", "--link", f"echo=127.0.0.1:{echo}")
    yield told
    stop_all([told.child], seconds=3)


def said(connection, words=b"hello", *, seconds=5.0):
    """What comes back; "reset" or "nothing" when that happens."""
    connection.settimeout(seconds)
    try:
        connection.sendall(words)
        return connection.recv(1000).decode() or "reset"
    except TimeoutError:
        return "nothing"
    except OSError:
        return "reset"


def once(proxy, words=b"hello", *, seconds=5.0):
    with socket.create_connection(("127.0.0.1", proxy.ports["echo"])) as connection:
        return said(connection, words, seconds=seconds)


def test_line_without_troubles_carries_both_ways(proxy):
    assert once(proxy) == "hello"


def test_line_that_is_down_resets_whoever_comes_until_it_is_up(proxy):
    proxy.order(link="echo", down=True)
    wait_until(lambda: once(proxy) == "reset")

    proxy.order(link="echo", down=False)
    wait_until(lambda: once(proxy) == "hello")


def test_cut_ends_a_connection_and_lets_the_next_one_through(proxy):
    with socket.create_connection(("127.0.0.1", proxy.ports["echo"])) as connection:
        assert said(connection) == "hello"
        proxy.order(link="echo", cut=True)
        wait_until(lambda: said(connection) == "reset")

    assert once(proxy) == "hello"


def test_black_hole_takes_and_gives_nothing(proxy):
    proxy.order(link="echo", blackhole=True)

    wait_until(lambda: once(proxy, seconds=0.2) == "nothing")


def test_latency_is_added_each_way(proxy):
    proxy.order(link="echo", latency=0.1)

    def took():
        began = time.monotonic()
        once(proxy)
        return time.monotonic() - began

    wait_until(lambda: took() >= 0.2)


def test_commit_reaches_the_server_and_its_answer_nobody(proxy):
    proxy.order(link="echo", cut_commits=1.0)

    wait_until(lambda: once(proxy, b"COMMIT") == "reset")
    assert once(proxy, b"SELECT") == "SELECT"
