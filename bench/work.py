"""The work both designs are given: the same template, the same bodies, the same recipients."""

import json
from typing import Literal

Kind = Literal["email", "webhook", "event", "broadcast"]

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
    channel, to = ("webhook", hook) if kind == "webhook" else ("email", "u{i}@example.com")
    return "/v1/notify/", json.dumps({"channel": channel, "to": to, "template": TEMPLATE, "data": VARIABLES})


def broadcast() -> tuple[str, str]:
    """(path, body) of one event for every customer, by email only."""
    event = {"event_type": TEMPLATE, "topic": "all", "channels": ["email"], "payload": VARIABLES}
    return "/api/events/", json.dumps(event)
