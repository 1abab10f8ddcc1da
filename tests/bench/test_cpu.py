"""Whose CPU seconds are whose."""

import os
import subprocess
import sys

import pytest

from bench.cpu import Meter, Reading, tree_seconds

BURN = "import time; [0 for _ in iter(lambda: time.process_time() < {0}, False)]"
BURN_IN_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN.format(0.15)!r}])"


def test_tree_seconds_of_a_reaped_grandchild() -> None:
    waits = f"{BURN_IN_A_CHILD}; print(flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", waits], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()

    seconds = tree_seconds([process.pid])[process.pid]

    process.communicate("\n")
    assert seconds >= 0.14


def test_tree_seconds_of_nobody() -> None:
    assert tree_seconds([2**22 + 1]) == {2**22 + 1: 0.0}


def test_tree_seconds_belong_to_the_nearer_root() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", f"{BURN.format(0.15)}; print(flush=True); input()"], stdin=-1, stdout=-1
    ) as child:
        assert child.stdout
        child.stdout.readline()
        before = tree_seconds([os.getpid()])[os.getpid()]

        apart = tree_seconds([os.getpid(), child.pid])

        child.communicate(b"\n")
    assert apart[child.pid] >= 0.14
    assert apart[os.getpid()] <= before - 0.1


def test_between_charges_the_rest_to_others() -> None:
    meter = Meter({"web": 10}, known=frozenset([20]))
    first = Reading(trees={10: 1.0, 20: 5.0}, own=0.0, busy=100.0, stolen=2.0, at=0.0)
    last = Reading(trees={10: 2.0, 20: 5.5}, own=0.25, busy=104.75, stolen=3.0, at=2.0)

    usage = meter.between(first, last)

    assert usage.by_name == {"web": 1.0}
    assert usage.seconds == 1.0
    assert usage.foreign_cores == pytest.approx(1.5)
    assert usage.steal_cores == pytest.approx(0.5)
