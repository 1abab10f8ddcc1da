"""Up to a thousand customers in one call, each judged alone."""

from collections.abc import Mapping
from typing import Any

from tenants.models import Tenant
from traffic_control.errors import Problem, invalid, problem_body
from traffic_control.faults import Faults, object_of
from user_preferences import customers, recipients
from user_preferences.customers import RecipientInput

MOST = 1_000


def store(tenant: Tenant, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One result an item, in its order. Raises Problem when the body as a whole is no batch."""
    read = [_read(item) for item in _items(body)]
    stored = customers.store(tenant, [item for item in read if isinstance(item, RecipientInput)])
    return [
        {"index": index, "status": "rejected", "problem": _told(item)}
        if isinstance(item, Problem)
        else {
            "index": index,
            "status": "created" if item.user_id in stored.new else "updated",
            "id": str(stored.customers[item.user_id].id),
            "user_id": item.user_id,
        }
        for index, item in enumerate(read)
    ]


def _items(body: Mapping[str, Any]) -> list[Any]:
    faults = Faults()
    faults.unknown(body, ("customers",))
    faults.refuse()
    items = body.get("customers")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST:
        found = f"{len(items):,} items" if isinstance(items, list) else "no list"
        raise invalid("/customers", f"Send a list of 1 to {MOST:,} customers; there was {found}.")
    return items


def _read(item: Any) -> RecipientInput | Problem:
    try:
        return recipients.read(object_of(item))
    except Problem as problem:
        return problem


def _told(problem: Problem) -> dict[str, Any]:
    return problem_body(problem.status_code, problem.code, str(problem.detail), errors=problem.errors)
