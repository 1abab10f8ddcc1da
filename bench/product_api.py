"""What a tenant of Traffic Control does before the first message: through the HTTP API, so it works for any install."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench import work
from dev.console import refuse

BATCH = 1000  # customers a request
CHOICES = {"channels": {"email": True, "webhook": True, "slack": False}}


@dataclass(frozen=True)
class Api:
    """One kept connection."""

    connection: http.client.HTTPConnection
    key: str = ""

    @classmethod
    def at(cls, url: str) -> "Api":
        parts = urlsplit(url)
        return cls(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60))

    def call(self, method: str, path: str, body: object) -> Any:
        """The answer's JSON. Refuses to go on when the answer is no success."""
        headers = {"Content-Type": "application/json", "X-API-KEY": self.key}
        self.connection.request(method, path, json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            refuse(f"{method} {path} answered {answer.status}: {text[:500]}")
        return json.loads(text)

    def register(self, name: str) -> "Api":
        """A new tenant, spoken for with its live key."""
        tenant = self.call("POST", "/v1/tenants/register/", {"name": name, "email": "bench@example.com"})
        return Api(self.connection, tenant["api_key"])


def make_shop(api: Api, hook: str) -> str:
    """The tenant of single messages: templates, a workflow for two channels, customers with preferences. Its key."""
    shop = api.register("Paper & Pens")
    for channel in ("email", "webhook", "in_app"):
        make_template(shop, channel)
    make_workflow(shop, ["email", "webhook"])
    add_customers(shop, work.CUSTOMERS, addresses={"webhook": hook, "slack": hook})
    for number in range(work.CUSTOMERS):
        shop.call("PUT", f"/v1/preferences/u{number}/", CHOICES)
    return shop.key


def make_audience(api: Api, everyone: int) -> str:
    """A tenant of broadcasts; its template greets each customer by name. Its key."""
    club = api.register(f"Pen Club of {everyone}")
    make_template(club, "email", name="customer.name")
    make_workflow(club, ["email"])
    add_customers(club, everyone, addresses={})
    return club.key


def make_template(api: Api, channel: str, *, name: str = "name") -> None:
    """`name`: the variable to greet with."""
    subject, body = (words.replace("{{ name }}", f"{{{{ {name} }}}}") for words in (work.SUBJECT, work.BODY))
    template = {"name": work.TEMPLATE, "channel": channel, "subject": subject, "body": body}
    if channel == "email":  # the plain design sends its text as HTML too
        template["html"] = body
    api.call("POST", "/v1/templates/", template)


def make_workflow(api: Api, channels: list[str]) -> None:
    api.call("POST", "/v1/workflows/", {"event_type": work.TEMPLATE, "channels": channels, "template": work.TEMPLATE})


def add_customers(api: Api, number: int, *, addresses: dict[str, str]) -> None:
    for first in range(0, number, BATCH):
        batch = list(customers(range(first, min(first + BATCH, number)), addresses))
        api.call("POST", "/api/v1/customers/batch/", {"customers": batch})


def customers(numbers: range, addresses: dict[str, str]) -> Iterator[dict[str, Any]]:
    for number in numbers:
        user_id = f"u{number}"
        yield {"user_id": user_id, "name": f"Ann {number}", "email": f"{user_id}@example.com", "addresses": addresses}
