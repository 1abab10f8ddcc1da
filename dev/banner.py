"""What `make run` says when everything is up."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from dev.console import paint

EVENT = {
    "event_type": "ORDER_CREATED",
    "recipients": [{"user_id": "ann", "name": "Ann", "email": "ann@example.com"}],
    "payload": {"order_id": 7},
}


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The demo tenant's keys and the admin's login, as `manage.py demo` prints them."""

    tenant: str
    api_key: str
    test_api_key: str
    admin_username: str
    admin_password: str

    @classmethod
    def read(cls, path: Path) -> "Demo":
        printed = json.loads(path.read_text())
        return cls(**{field.name: printed[field.name] for field in fields(cls)})


def banner(*, url: str, demo: Demo, catcher_url: str) -> str:
    """Addresses, logins and keys in one column, then two lines to paste."""
    rows = [
        ("API", url, ""),
        ("API docs", f"{url}/docs/api/", ""),
        ("Inbox", f"{url}/demo/inbox/", "a user's page: what the live key sends to ann in_app rings there at once"),
        ("Admin", f"{url}/admin/", f"{demo.admin_username} / {demo.admin_password}"),
        ("Caught", catcher_url, "the live key's mail; any path there takes Slack, Teams and webhook calls"),
        ("Test key", demo.test_api_key, "everything is captured in the sandbox"),
        ("Live key", demo.api_key, "really sends"),
    ]
    lines = [
        "",
        f"  {paint('Traffic Control is running', 'bold')}  {paint('Ctrl-C stops everything', 'grey')}",
        "",
        *(row(*cells) for cells in rows),
        "",
        f"  {paint('Say what happened:', 'bold')}",
        event_curl(url, demo.test_api_key),
        "",
        f"  {paint('See what would have gone out:', 'bold')}",
        sandbox_curl(url, demo.test_api_key),
        "",
    ]
    return "\n".join(lines)


def row(name: str, value: str, note: str) -> str:
    return f"  {paint(f'{name:<10}', 'grey')}{value}" + (f"   {paint(note, 'grey')}" if note else "")


def event_curl(url: str, key: str) -> str:
    body = json.dumps(EVENT, separators=(",", ":"))
    return f"curl -sS -X POST {url}/api/events/ -H 'X-API-KEY: {key}' -H 'Content-Type: application/json' -d '{body}'"


def sandbox_curl(url: str, key: str) -> str:
    return f"curl -sS '{url}/v1/sandbox/messages/?to=ann@example.com&wait=5' -H 'X-API-KEY: {key}'"
