"""Messages as their readers see them.

Of the event's payload only what stands under `inbox` leaves the house: the rest is between the tenant and us. It is
the tenant's own, but a page will follow its links, so they are http(s) or relative, or not there.
"""

import re
from collections.abc import Mapping
from typing import Any

from delivery_gateway.models import Inbox, InboxItem

SEVERITIES = ("info", "success", "warning", "critical")
STYLES = ("primary", "default")
LINK = re.compile(r"(https?://[^\s\\/]|/(?![/\\])|[?#])[^\s\\\x00-\x1f]*|/", re.ASCII | re.IGNORECASE)
KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MOST_ACTIONS, MOST_TAGS = 5, 20


def counts(inbox: Inbox) -> dict[str, int]:
    return {"total": inbox.total, "unread": inbox.unread, "unseen": inbox.unseen, "version": inbox.version}


def item(row: InboxItem) -> dict[str, Any]:
    said = _object((row.payload or {}).get("inbox") if isinstance(row.payload, dict) else None)
    severity = said.get("severity")
    return {
        "id": str(row.id),
        "seq": row.seq,
        "workflow": row.event_type or None,
        "category": row.category or None,
        "tags": [tag for tag in _list(said.get("tags")) if isinstance(tag, str)][:MOST_TAGS],
        "title": row.title,
        "body": row.body,
        "avatar": link(said.get("avatar")),
        "severity": severity if severity in SEVERITIES else "info",
        "actions": actions_of(row),
        "redirect_url": link(said.get("url")),
        "data": _object(said.get("data")),
        "created_at": row.created_at,
        "seen_at": row.seen_at,
        "read_at": row.read_at,
        "archived_at": row.archived_at,
    }


def actions_of(row: InboxItem) -> list[dict[str, Any]]:
    said = _object((row.payload or {}).get("inbox") if isinstance(row.payload, dict) else None)
    done, actions = row.actions_done or {}, []
    for one in map(_object, _list(said.get("actions"))[:MOST_ACTIONS]):
        key, label = one.get("key"), one.get("label")
        if isinstance(key, str) and KEY.fullmatch(key) and isinstance(label, str) and label:
            style = one.get("style")
            actions.append(
                {
                    "key": key,
                    "label": label[:80],
                    "url": link(one.get("url")),
                    "style": style if style in STYLES else "default",
                    "completed_at": done.get(key),
                }
            )
    return actions


def link(value: Any) -> str | None:
    """http(s) or a path of the page's own origin; never another scheme, never somebody else's host in disguise."""
    return value if isinstance(value, str) and len(value) <= 2_000 and LINK.fullmatch(value) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
