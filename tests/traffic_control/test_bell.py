"""A thread that does a small thing once for all who asked for it meanwhile."""

import os
import threading

from dev.waiting import wait_until
from traffic_control.bell import Bell


def test_bell_holds_nobody_up_and_rings_once_for_all_who_asked_meanwhile():
    rung: list[str] = []
    may_go_on = threading.Event()

    def ring(name: str) -> None:
        rung.append(name)
        may_go_on.wait(10)

    bell = Bell(ring)
    bell.ask("route")
    assert wait_until(lambda: rung == ["route"], seconds=10)

    for _ in range(100):
        bell.ask("route")
        bell.ask("deliver.email")
    may_go_on.set()

    assert wait_until(lambda: len(rung) == 3, seconds=10)
    assert rung == ["route", "route", "deliver.email"]


def test_bell_goes_on_after_a_failure(caplog):
    rung = []

    def ring(name):
        rung.append(name)
        raise RuntimeError(name)

    bell = Bell(ring)
    bell.ask("first")
    assert wait_until(lambda: rung == ["first"], seconds=10)
    bell.ask("second")
    assert wait_until(lambda: rung == ["first", "second"], seconds=10)

    assert "could not ring for first" in caplog.text


def test_bell_rings_in_a_forked_child_too():
    rung = threading.Event()

    def ring(name: str) -> None:
        rung.set()

    bell = Bell(ring)
    bell.ask("parent")
    assert rung.wait(10)
    rung.clear()

    child = os.fork()
    if not child:
        bell.ask("child")
        os._exit(0 if rung.wait(10) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
