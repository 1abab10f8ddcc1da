"""Many tenants' templates in one question to a renderer: whose takes too long is found out, the others go on."""

import time
from dataclasses import replace

import pytest

from notification_processor.renderer.wire import RENDER
from notification_processor.renderer_jobs import AT_ONCE, CROWDED_OUT, Job, Refused, answered
from notification_processor.renderer_pool import Busy
from notification_processor.rendering import Order, Source, render_many

LIVE = "{{ a|upper }}"
SPINS = "{% for a in range(1000) %}{{ big|list|sort|unique|list|length }}{% endfor %}"
DATA = {"a": "x", "big": "a" * 20_000}


def body_of(made):
    return made.body


def test_others_in_a_batch_do_not_suffer(pool):
    """The one that takes too long is found out among a hundred."""
    sources = [SPINS if n == 50 else LIVE for n in range(100)]
    jobs = [Job(RENDER, ("", text, ""), DATA, owner=str(n)) for n, text in enumerate(sources)]

    answers = answered(jobs, effort=AT_ONCE)

    assert [n for n, answer in enumerate(answers) if answer != ["", "X", ""]] == [50]
    assert isinstance(answers[50], Refused)


def test_owner_who_takes_too_much_of_a_batch_gets_no_more(pool):
    jobs = [Job(RENDER, ("", SPINS, ""), DATA, owner="slow")] * 20 + [Job(RENDER, ("", LIVE, ""), DATA, owner="quick")]

    began = time.monotonic()
    answers = answered(jobs, effort=replace(AT_ONCE, stops=99, share=0.1))

    assert [isinstance(answer, Refused) for answer in answers] == [True] * 20 + [False]
    assert time.monotonic() - began < 5


def test_owner_whose_templates_end_renderers_is_stopped_when_somebody_waits(pool):
    slow = [Job(RENDER, ("", SPINS, ""), DATA, owner="slow")] * 50
    answers = answered(
        [*slow, Job(RENDER, ("", LIVE, ""), DATA, owner="slow"), Job(RENDER, ("", LIVE, ""), DATA)], effort=AT_ONCE
    )

    assert answers[2:] == [CROWDED_OUT] * 49 + [["", "X", ""]]


def test_owner_has_one_renderer_at_a_time(pool, monkeypatch):
    monkeypatch.setattr("notification_processor.renderer_pool.WAIT", 0.05)
    with pool.place("a"), pool.place("b"):
        pass
    with pool.place("a"), pytest.raises(Busy), pool.place("a"):
        pass


def test_orders_of_many_owners_come_back_in_order():
    orders = [
        Order(Source(f"s{n % 7}", "email", "", f"{n % 7} {{{{ a|upper }}}}"), {"a": str(n)}, owner=str(n % 3))
        for n in range(300)
    ]
    assert [body_of(made) for made in render_many(orders)] == [f"{n % 7} {n}" for n in range(300)]


def test_large_texts_come_in_several_turns():
    source = Source("large", "email", "", "{% for n in range(900) %}{{ big }}{% endfor %}")
    orders = [Order(source, {"big": str(n % 10) * 250}) for n in range(20)]
    assert [body_of(made) for made in render_many(orders)] == [str(n % 10) * 225_000 for n in range(20)]
