"""One event that goes to everybody."""

import random
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.product_api import Api, add_customers, make_template, make_workflow
from bench.work import TEMPLATE, VARIABLES
from chaos.load import Load, Request, Shop
from chaos.scene import Scene

LONGEST = 600.0  # seconds in which everybody's message is written


def asked(scene: Scene, record: Path, *, count: int, rate: float) -> Load:
    """A tenant with so many customers, and the one request that speaks to all of them."""
    name = f"Chaos Club {uuid.uuid4()}"
    api = Api.at(scene.shop.url).register(name)
    make_template(api, "email", name="customer.name")
    make_workflow(api, ["email"])
    add_customers(api, count, addresses={})
    tenant = scene.servers.ask("SELECT id FROM tenants_tenant WHERE name = %s", name)[0][0]

    def compose(number: int, key: str, shop: Shop, chance: random.Random) -> Request:
        body: dict[str, Any] = {"event_type": TEMPLATE, "topic": "all", "payload": VARIABLES}
        return Request("/api/events/", body, count)

    club = replace(scene.shop, tenant=str(tenant), key=api.key)
    return Load(club, record, count=1, rate=rate, seed=scene.seed, compose=compose)


def routed(scene: Scene, load: Load) -> int:
    """How many messages stand in the ledger."""
    question = "SELECT count(*) FROM delivery_gateway_notificationlog WHERE event_id = ANY(%s::uuid[])"
    found = scene.servers.ask(question, list(load.ids.values()))
    return int(found[0][0]) if found else 0
