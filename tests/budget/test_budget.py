"""The exact number of statements and commits on each path: it does not depend on the machine, so nothing may raise it.

A figure that falls is lowered here, in the same commit. One that rises needs a reason in that commit's message.
What all requests of a tenant share (its key, templates, defaults) is warm: the path is walked before, twice where only
the second message finds the template remembered, in a statement that its connection then has to plan.
"""

from typing import Any

import pytest

from tests.budget.conftest import Pipeline, Spent
from tests.budget.counting import Cost

TEMPLATE = {"name": "order", "subject": "Order {{ id }}", "body": "Order {{ id }} is on its way."}
WORDS = {"template": "order", "data": {"id": 7}}
HOOK = "https://hooks.example.com/x"
AUDIENCE = 1_000
BATCH = 100

BUDGET = {
    # Cost(statements, commits): at the door, in generator and router, in the delivery tasks
    "notify by address": Spent(Cost(1, 1), Cost(1, 0), Cost(5, 2)),
    "notify by user_id": Spent(Cost(2, 1), Cost(9, 1), Cost(5, 2)),
    "notify with a key": Spent(Cost(1, 1), Cost(1, 0), Cost(5, 2)),
    "notify in-app": Spent(Cost(2, 1), Cost(9, 1), Cost(6, 2)),
    "event, two channels": Spent(Cost(1, 1), Cost(14, 2), Cost(10, 4)),
    "batch of 100": Spent(Cost(2, 1), Cost(1, 0), Cost(6, 3)),
    "broadcast to 1,000": Spent(Cost(1, 1), Cost(17, 2), Cost(51, 21)),
}


def keeps(path: str, spent: Spent) -> None:
    """Says what the figures are now, and which statements these were."""
    assert spent == BUDGET[path], f'\n\n    "{path}": {spent},\n\n{spent.statements}'


def notify(**fields: Any) -> dict[str, Any]:
    return {"channel": "email", **WORDS, **fields}


def make_shop(pipeline: Pipeline, customers: int = 3) -> None:
    """Templates for three channels, a workflow for two, and customers who can be reached on both."""
    for channel in ("email", "webhook", "in_app"):
        assert pipeline.api.post("/v1/templates/", TEMPLATE | {"channel": channel}).status_code == 201
    workflow = {"event_type": "order", "channels": ["email", "webhook"], "template": "order"}
    assert pipeline.api.post("/v1/workflows/", workflow).status_code == 201
    people = [
        {"user_id": f"u{n}", "email": f"u{n}@example.com", "addresses": {"webhook": HOOK}} for n in range(customers)
    ]
    assert pipeline.api.post("/api/v1/customers/batch/", {"customers": people}).status_code == 200


def test_notify_by_address(pipeline: Pipeline) -> None:
    make_shop(pipeline)
    for _ in range(2):
        pipeline.send("/v1/notify/", notify(to="a@example.com"), lanes=("email",))

    spent = pipeline.send("/v1/notify/", notify(to="b@example.com"), lanes=("email",))

    keeps("notify by address", spent)
    assert [message.address for message in pipeline.provider.taken] == ["a@example.com"] * 2 + ["b@example.com"]


def test_notify_by_user_id(pipeline: Pipeline) -> None:
    make_shop(pipeline)
    for _ in range(2):
        pipeline.send("/v1/notify/", notify(user_id="u0"), lanes=("email",))

    spent = pipeline.send("/v1/notify/", notify(user_id="u1"), lanes=("email",))

    keeps("notify by user_id", spent)
    assert [message.address for message in pipeline.provider.taken] == ["u0@example.com"] * 2 + ["u1@example.com"]


def test_notify_with_an_idempotency_key(pipeline: Pipeline) -> None:
    make_shop(pipeline)
    for key in ("k1", "k2"):
        pipeline.send("/v1/notify/", notify(to="a@example.com"), lanes=("email",), idempotency_key=key)

    spent = pipeline.send("/v1/notify/", notify(to="b@example.com"), lanes=("email",), idempotency_key="k3")

    keeps("notify with a key", spent)
    assert len(pipeline.provider.taken) == 3


def test_notify_in_app(pipeline: Pipeline) -> None:
    make_shop(pipeline)
    for _ in range(2):
        pipeline.send("/v1/notify/", notify(channel="in_app", user_id="u0"), lanes=("in_app",))

    spent = pipeline.send("/v1/notify/", notify(channel="in_app", user_id="u1"), lanes=("in_app",))

    keeps("notify in-app", spent)
    assert sent(pipeline) == 3


def test_event_for_one_on_two_channels(pipeline: Pipeline) -> None:
    make_shop(pipeline)
    first, second = ({"event_type": "order", "user_id": user, "payload": {"id": 7}} for user in ("u0", "u1"))
    pipeline.send("/api/events/", first, lanes=("email", "webhook"))

    spent = pipeline.send("/api/events/", second, lanes=("email", "webhook"))

    keeps("event, two channels", spent)
    assert [message.channel for message in pipeline.provider.taken] == 2 * ["email", "webhook"]


def test_batch_of_100(pipeline: Pipeline) -> None:
    make_shop(pipeline)
    first, second = (
        {"notifications": [notify(to=f"{letter}{n}@example.com") for n in range(BATCH)]} for letter in ("a", "b")
    )
    pipeline.send("/v1/notify/batch/", first, lanes=("email",))

    spent = pipeline.send("/v1/notify/batch/", second, lanes=("email",))

    keeps("batch of 100", spent)
    assert len(pipeline.provider.taken) == 2 * BATCH


@pytest.mark.timeout(120)
def test_broadcast_to_1000(pipeline: Pipeline) -> None:
    make_shop(pipeline, customers=AUDIENCE)
    event = {"event_type": "order", "topic": "all", "channels": ["email"], "payload": {"id": 7}}
    pipeline.send("/api/events/", event, lanes=("email",))

    spent = pipeline.send("/api/events/", event, lanes=("email",))

    keeps("broadcast to 1,000", spent)
    assert len(pipeline.provider.taken) == 2 * AUDIENCE


def sent(pipeline: Pipeline) -> int:
    page = pipeline.api.get("/v1/notifications/?status=sent").json()
    return len(page["data"])
