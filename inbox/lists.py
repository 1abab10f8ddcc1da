"""Which messages a list shows: filters, order and pages."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from delivery_gateway.inbox import Owner
from delivery_gateway.models import InboxItem
from traffic_control.errors import Problem
from traffic_control.spelling import did_you_mean

STATUSES = ("all", "unread", "unseen", "archived")
FILTERS = ("status", "category", "workflow")
PARAMETERS = (*FILTERS, "since", "limit", "cursor")
IS = {
    "all": Q(archived_at=None),
    "unread": Q(archived_at=None, read_at=None),
    "unseen": Q(archived_at=None, seen_at=None),
    "archived": Q(archived_at__isnull=False),
}


def narrowed(items: QuerySet[InboxItem], asked: Mapping[str, str]) -> QuerySet[InboxItem]:
    """`asked` has some of FILTERS. Raises Problem 400 `invalid_filter`."""
    status = asked.get("status", "all")
    if status not in IS:
        raise Problem("invalid_filter", f'status "{status[:40]}" is not one of {", ".join(STATUSES)}.')
    items = items.filter(IS[status])
    if category := asked.get("category"):
        items = items.filter(category=_plain("category", category))
    if workflow := asked.get("workflow"):
        items = items.filter(event_type=_plain("workflow", workflow))
    return items


def check_names(given: Mapping[str, Any]) -> None:
    """A misspelt filter must not show all. Raises Problem."""
    for name in given:
        if name not in PARAMETERS:
            detail = f'There is no parameter "{name[:40]}". {did_you_mean(name, PARAMETERS)}'
            raise Problem("unknown_parameter", detail)


def since(items: QuerySet[InboxItem], version: str) -> QuerySet[InboxItem]:
    """What arrived after this version of the inbox."""
    if not (version.isascii() and version.isdigit() and len(version) < 19):
        raise Problem("invalid_filter", f'since "{version[:40]}" is not a version, such as counts.version.')
    return items.filter(seq__gt=int(version))


def page(
    items: QuerySet[InboxItem], owner: Owner, *, limit: int, cursor: str | None
) -> tuple[list[InboxItem], str | None]:
    """Newest arrivals first, and the cursor of the next page if there is one."""
    if cursor:
        seq, item_id = _opened(cursor, owner)
        items = items.filter(Q(seq__lt=seq) | Q(seq=seq, id__lt=item_id))
    found = list(items.order_by("-seq", "-id")[: limit + 1])
    shown = found[:limit]
    return shown, _sealed(shown[-1], owner) if len(found) > limit else None


def _sealed(last: InboxItem, owner: Owner) -> str:
    return signing.dumps([last.seq, last.id.hex], salt=f"inbox:{owner.customer_id}")


def _opened(cursor: str, owner: Owner) -> tuple[int, uuid.UUID]:
    try:
        seq, item_id = signing.loads(cursor, salt=f"inbox:{owner.customer_id}")
        return seq, uuid.UUID(item_id)
    except (signing.BadSignature, ValueError) as exc:
        raise Problem("invalid_cursor", "This cursor is not from this list. Start again without ?cursor=.") from exc


def moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _plain(name: str, value: str) -> str:
    if "\0" in value or len(value) > 128:
        raise Problem("invalid_filter", f"{name} cannot have that value.")
    return value
