"""The kernel's own count of how much a process took at most."""

import subprocess
import sys

from bench.memory import Watch

TAKES_A_LOT = "input(); b'x' * 60_000_000; print(flush=True); input()"


def test_watch_sees_memory_that_is_gone_again() -> None:
    with subprocess.Popen([sys.executable, "-c", TAKES_A_LOT], stdin=-1, stdout=-1, text=True) as child:
        assert child.stdin
        assert child.stdout
        watch = Watch.begin({"child": child.pid})
        child.stdin.write("\n")
        child.stdin.flush()
        child.stdout.readline()

        memory = watch.end()["child"]

        child.communicate("\n")
    assert 50 < memory.growth_mb < memory.peak_mb < 200
    assert watch.end()["child"].peak_mb == 0.0
