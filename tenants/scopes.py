"""What an API key may do. A view names one scope per HTTP method; no scope implies another."""

from collections.abc import Iterable

SCOPES = {
    "read": "look up notifications, events, templates and customers",
    "send": "post events, notifications and orders",
    "templates": "write templates and workflows",
    "customers": "write customers and their preferences",
    "admin": "manage API keys, integrations and the tenant itself",
    "replay": "send dead letters again",
    "pii": "see addresses in full instead of masked",
    "privacy": "export and erase everything that is kept about a person",
}
ALL = tuple(SCOPES)
LEAST = ("read", "send")  # what a new key gets when nothing is asked for


def in_order(scopes: Iterable[str]) -> list[str]:
    """Each once, in the order of the table above."""
    wanted = set(scopes)
    return [scope for scope in ALL if scope in wanted]
