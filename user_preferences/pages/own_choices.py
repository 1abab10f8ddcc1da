"""What people change about themselves as JSON, as `<notification-preferences>` does: only what their page shows."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import transaction

from tenants.syntax import quoted
from traffic_control.errors import Problem
from traffic_control.faults import Faults
from user_preferences import preferences
from user_preferences.consent_log import Voice
from user_preferences.models import Customer
from user_preferences.pages import choosing
from user_preferences.pages.choosing import Box, Row
from user_preferences.pages.now import Now, name_of, now_of
from user_preferences.policy import EVERY
from user_preferences.preferences import STAR, Edit

CHANGED = "These choices have changed since you read them. Read them again, and decide anew."


@dataclass(frozen=True, slots=True)
class Change:
    """A request to change: `body` as JSON says it; one of the tags in `expected` must still hold (none named: any)."""

    body: Mapping[str, Any]
    is_patch: bool
    voice: Voice
    expected: Collection[str] = ()


def shown(customer: Customer) -> dict[str, Any]:
    return _as_json(customer, now_of(customer))


def tag_of(answer: Mapping[str, Any]) -> str:
    """Strong: as long as it is the same, so is every byte of what is shown."""
    return f'"{hashlib.sha256(orjson.dumps(answer)).hexdigest()[:24]}"'


@transaction.atomic
def change(customer: Customer, asked: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    """What holds now, and the body that takes this change back. Raises Problem, and then nothing has changed.

    Two changes at once take turns: the second reads what the first has made.
    """
    rows = Customer.objects.for_tenant(customer.tenant_id).select_related("tenant")
    row = rows.select_for_update(of=("self",)).get(pk=customer.pk)
    now = now_of(row)
    if asked.expected and tag_of(_as_json(row, now)) not in asked.expected:
        raise Problem("preferences_changed", CHANGED, status=412)
    edit = preferences.read(asked.body)
    _check(edit, now)
    preferences.change(row, edit, is_patch=asked.is_patch, voice=asked.voice)
    fresh = rows.get(pk=customer.pk)
    then = now_of(fresh)
    return _as_json(fresh, then), _way_back(now, then)


def _check(edit: Edit, now: Now) -> None:
    """What is locked stays; and nobody fills our tables with categories that there are not."""
    faults, known = Faults(), {row.category for row in now.rows} | {category for category, _ in now.choices.chosen}
    locked = {row.category for row in now.rows if row.is_locked and row.category != EVERY}
    for category in sorted({category for category, _ in edit.chosen} | edit.resets):
        if category in locked:
            detail = f"Messages about {quoted(category)} are essential: they are always sent."
            raise Problem("preference_locked", detail)
        if category != EVERY and category not in known:
            faults.add(f"/categories/{category}", "There is no such category here.", code="unknown_category")
    faults.refuse()


def _way_back(before: Now, after: Now) -> dict[str, Any]:
    body = preferences.edit_as_json(choosing.way_back(before.choices, after.choices))
    is_quiet_changed = before.quiet_hours != after.quiet_hours
    return body | ({"quiet_hours": before.quiet_hours} if is_quiet_changed else {})


def _as_json(customer: Customer, now: Now) -> dict[str, Any]:
    rows = [row for row in now.rows if row.category != EVERY or row.is_locked]
    whole = [box for row in now.rows if row.category == EVERY for box in row.boxes]
    return {
        "sender": customer.tenant.name,
        "channels": {box.channel: _state(box, now) for box in whole},
        "categories": [_category(row, now) for row in rows],
        "quiet_hours": now.quiet_hours,
        "timezone": customer.timezone or None,
        "default_timezone": customer.timezone or customer.tenant.timezone or "UTC",
        "decline_all": {"channels": preferences.edit_as_json(choosing.all_off(now.choices))["channels"]},
    }


def _category(row: Row, now: Now) -> dict[str, Any]:
    return {
        "key": row.category or STAR,
        "name": name_of(row.category),
        "locked": row.is_locked,
        "has_essential": row.is_locked or row.is_mixed,
        "channels": {box.channel: _state(box, now) | {"muted": box.is_muted} for box in row.boxes},
    }


def _state(box: Box, now: Now) -> dict[str, bool]:
    return {"enabled": box.is_on, "default": choosing.anyway(now.choices, box.key, now.tenant_defaults)}
