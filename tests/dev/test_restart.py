"""What `make run` does about a part that ends: one that asks for it is started again, any other ends the run."""

import sys

from dev.banner import Demo
from dev.processes import Child, start, stop_all
from dev.run import Running, first_to_stay_away


def ending(code: int) -> Child:
    return start("worker", [sys.executable, "-c", f"raise SystemExit({code})"])


def running(parts: list[Child], servers: list[Child], *, next_code: int) -> Running:
    return Running(
        url="",
        catcher_url="",
        demo=Demo(tenant="", api_key="", test_api_key="", admin_username="", admin_password=""),
        servers=servers,
        parts=parts,
        start_part=lambda name: ending(next_code),
    )


def test_part_that_asks_to_be_started_again_is_until_one_stays_away() -> None:
    first = ending(75)
    parts = [first]

    gone = first_to_stay_away(running(parts, [], next_code=3))

    assert (gone.process.returncode, parts) == (3, [gone])
    assert gone is not first
    stop_all(parts, seconds=1)


def test_server_that_ends_ends_the_run_whatever_its_exit_code() -> None:
    server = ending(75)

    assert first_to_stay_away(running([], [server], next_code=0)) is server
    stop_all([server], seconds=1)
