"""Connections at rest: who gets which, and when one is closed."""

from dataclasses import dataclass, field

import pytest

from delivery_gateway.egress.shelf import Shelf


@dataclass
class Line:
    name: str
    closed: list[str] = field(repr=False)

    def close(self) -> None:
        self.closed.append(self.name)


@pytest.fixture
def closed() -> list[str]:
    return []


def shelf_of(closed: list[str], *names: str, rest_seconds: float = 60.0) -> Shelf[Line]:
    """Holds lines named `key-number`, put in that order; two may rest under a key, four in all."""
    shelf: Shelf[Line] = Shelf(rest_seconds=rest_seconds, per_key=2, in_all=4)
    for name in names:
        shelf.put(name.partition("-")[0], Line(name, closed))
    return shelf


def test_the_one_put_back_last_is_taken_first(closed: list[str]) -> None:
    shelf = shelf_of(closed, "a-1", "a-2", "b-1")

    taken = [line and line.name for line in (shelf.take("a"), shelf.take("a"), shelf.take("a"), shelf.take("b"))]

    assert taken == ["a-2", "a-1", None, "b-1"]
    assert (len(shelf), closed) == (0, [])


def test_the_oldest_of_a_key_makes_room(closed: list[str]) -> None:
    shelf = shelf_of(closed, "a-1", "a-2", "a-3")

    assert (len(shelf), closed) == (2, ["a-1"])


def test_the_key_unused_longest_makes_room(closed: list[str]) -> None:
    shelf = shelf_of(closed, "a-1", "b-1", "a-2", "c-1", "d-1")

    assert (len(shelf), closed) == (4, ["b-1"])


def test_what_rested_too_long_is_not_taken_but_closed(closed: list[str]) -> None:
    shelf = shelf_of(closed, "a-1", "b-1", rest_seconds=-1.0)

    assert shelf.take("a") is None
    shelf.sweep()
    assert (len(shelf), sorted(closed)) == (0, ["a-1", "b-1"])


def test_clearing_one_key_leaves_the_others(closed: list[str]) -> None:
    shelf = shelf_of(closed, "a-1", "a-2", "b-1")

    shelf.clear("a")
    assert (len(shelf), sorted(closed)) == (1, ["a-1", "a-2"])
    shelf.clear()
    assert (len(shelf), sorted(closed)) == (0, ["a-1", "a-2", "b-1"])


def test_forgetting_closes_nothing(closed: list[str]) -> None:
    shelf = shelf_of(closed, "a-1")

    shelf.forget()

    assert (len(shelf), closed, shelf.take("a")) == (0, [], None)
