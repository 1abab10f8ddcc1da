"""What a run is made of."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from bench.designs import BATCH, LARGE_AUDIENCE, PLAIN, PRODUCT
from bench.run import choose
from bench.scenario import BATCH_SIZE, Scenario
from bench.scenarios import scenarios
from bench.services import Keys, Place
from dev.console import Refusal

PLACE = Place(
    name="product",
    database_url="postgres://db",
    redis_url="redis://r",
    logs=Path("."),
    smtp_port=25,
    sink_url="http://127.0.0.1:80",
    web_port=8000,
)
KEYS = Keys(single="one", audiences={20_000: "many", 200_000: "more"})


def chosen(only: str = "", *, is_quick: bool = False) -> list[Scenario]:
    return choose(Namespace(quick=is_quick, only=only))[0]


def named(name: str) -> Scenario:
    return next(one for one in scenarios(is_quick=False) if one.name == name)


@pytest.mark.parametrize("is_quick", [True, False])
def test_scenarios_have_names_of_their_own(is_quick: bool) -> None:
    names = [one.name for one in scenarios(is_quick=is_quick)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("is_quick", [True, False])
def test_scenarios_say_how_much_for_each_entrant(is_quick: bool) -> None:
    for one in scenarios(is_quick=is_quick):
        assert one.amount.seconds or set(one.slices) <= set(one.amount.requests), one.name
        assert set(one.slices) <= set(one.group.entrants), one.name


@pytest.mark.parametrize("is_quick", [True, False])
def test_scenarios_of_intake_alone_come_last(is_quick: bool) -> None:
    need_workers = [one.needs_workers for one in scenarios(is_quick=is_quick)]

    assert need_workers == sorted(need_workers, reverse=True)


def test_quick_run_leaves_out_peers_and_spares() -> None:
    assert {one.name for one in chosen()} - {one.name for one in chosen(is_quick=True)} == {
        "peers-email", "peers-email-50ms", "broadcast-200k",
    }  # fmt: skip


def test_only_takes_names_and_peers() -> None:
    assert [one.name for one in chosen("peers,email")] == ["email", "peers-email", "peers-email-50ms"]
    assert choose(Namespace(quick=False, only="limits")) == ([], True)


def test_only_refuses_what_there_is_not() -> None:
    with pytest.raises(Refusal, match="There is no e-mail"):
        chosen("e-mail")


def test_broadcast_is_one_request_for_the_product_alone() -> None:
    broadcast = named("broadcast")

    product, plain = (broadcast.plan(entrant, PLACE) for entrant in (PRODUCT, PLAIN))

    assert (product.count, product.per_request) == (1, 20_000)
    assert (plain.count, plain.per_request) == (2_000, 1)
    assert broadcast.target(PRODUCT, PLACE, KEYS).key == "many"


def test_large_broadcast_has_an_audience_of_its_own() -> None:
    assert named("broadcast-200k").target(LARGE_AUDIENCE, PLACE, KEYS).key == "more"


def test_batch_has_an_address_for_each_message() -> None:
    target = named("batch-intake").target(BATCH, PLACE, KEYS)
    _, _, body = target.encoder()(5).partition(b"\r\n\r\n")

    to = [message["to"] for message in json.loads(body)["notifications"]]

    assert (len(to), len(set(to)), to[7]) == (BATCH_SIZE, BATCH_SIZE, "u5-7@example.com")
