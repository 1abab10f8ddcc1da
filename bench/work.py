"""The work both designs are given: the same template, the same bodies, the same recipients."""

import json
from typing import Any, Literal

Kind = Literal["email", "webhook", "in_app", "event", "broadcast"]

TEMPLATE = "order"
SUBJECT = "{{ name }}, order {{ order.id }} is on its way"
BODY = """Dear {{ name }},

{% if order %}your order {{ order.id }} over {{ order.total|round(2) }} EUR leaves our house {{ date }}:
{% for item in order["items"] %}  {{ item.qty }} x {{ item.name|upper }}
{% endfor %}{% endif %}
Kind regards
{{ company }}
"""
CUSTOMERS = 1000

_ORDER = {
    "id": "A{i}",
    "total": 12.345,
    "items": [{"name": "pen", "qty": 1}, {"name": "ink", "qty": 2}, {"name": "paper", "qty": 3}],
}
VARIABLES = {"name": "Ann {i}", "order": _ORDER, "date": "tomorrow", "company": "Paper & Pens"}


def single(kind: Kind, hook: str) -> tuple[str, str]:
    """(path, body) of a request for one recipient; `{i}` stands for its number."""
    if kind == "event":
        return "/api/events/", json.dumps({"event_type": TEMPLATE, "user_id": "u{i}", "payload": VARIABLES})
    return "/v1/notify/", json.dumps(_message(kind, hook))


def batch(size: int) -> tuple[str, str]:
    """(path, body) of one request with `size` emails, each to an address of its own."""
    email = json.dumps(_message("email", ""))
    messages = ", ".join(email.replace("{i}", f"{{i}}-{number}") for number in range(size))
    return "/v1/notify/batch/", f'{{"notifications": [{messages}]}}'


def _message(kind: Kind, hook: str) -> dict[str, Any]:
    words = {"template": TEMPLATE, "data": VARIABLES}
    if kind == "in_app":
        return {"channel": "in_app", "user_id": "u{i}", **words}
    channel, to = ("webhook", hook) if kind == "webhook" else ("email", "u{i}@example.com")
    return {"channel": channel, "to": to, **words}


def broadcast() -> tuple[str, str]:
    """(path, body) of one event for every customer, by email only."""
    event = {"event_type": TEMPLATE, "topic": "all", "channels": ["email"], "payload": VARIABLES}
    return "/api/events/", json.dumps(event)
