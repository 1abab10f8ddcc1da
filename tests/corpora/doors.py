"""Every call of the API that takes a body, as the OpenAPI document has it, with somebody's key and real ids."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from rest_framework.test import APIClient

from delivery_gateway.channels.webhook import read_secret, sign
from tenants.services import Registration
from tests.conftest import client_with
from tests.peers.mail_services import SIGNING_SECRET, secret_of

DOCUMENT = Path(__file__).resolve().parents[2] / "openapi.yaml"
ADA = b'{"channel":"email","to":"ada@example.com","subject":"S","body":"B","data":%b}'
PLACED = b'{"event_type":"order.placed","user_id":"ada","payload":%b}'
PLACES: Mapping[str, bytes] = {  # of calls in which a fragment is all that is wrong
    "/v1/notify/": ADA,
    "/v1/notify/batch/": b'{"notifications":[' + ADA + b"]}",
    "/api/v1/notifications/send/": ADA,
    "/api/events/": PLACED,
    "/api/events/batch/": b'{"events":[' + PLACED + b"]}",
    "/api/v1/customers/": b'{"user_id":"bob","attributes":%b}',
    "/api/v1/customers/batch/": b'{"customers":[{"user_id":"bob","attributes":%b}]}',
}
ANYWHERE = b'{"data":%b}'


@dataclass(frozen=True)
class Door:
    """`is_signed`: proven by a signature, not by a key. `is_first_of_its_kind`: others share its code."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    place: bytes = ANYWHERE
    is_signed: bool = False
    is_first_of_its_kind: bool = False

    def with_fragment(self, fragment: bytes) -> bytes:
        return self.place.replace(b"%b", fragment)

    def headers_for(self, body: bytes) -> dict[str, str]:
        return {"Content-Type": "application/json", **self.headers, **(proof_of(body) if self.is_signed else {})}


def proof_of(body: bytes) -> dict[str, str]:
    """As Standard Webhooks say, of any bytes."""
    now = int(time.time())
    signature = sign(read_secret(SIGNING_SECRET), "msg_1", now, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": signature}


def hot_doors(acme: Registration, callback: str) -> list[Door]:
    """Those with code of their own: the small door beside the large one, with a key that is remembered and without."""
    by = {"X-API-KEY": acme.api_key}
    ways = {"": {}, ", once": {"Idempotency-Key": "k"}, ", large": {"Accept": "application/json;q=0.9"}}
    first = {"/v1/notify/", "/v1/notify/, large", "/api/events/", "/v1/notify/batch/"}
    named = [(path, way) for path in ("/v1/notify/", "/api/events/") for way in ways]
    named += [(path, "") for path in PLACES if path.endswith("/batch/")]
    doors = [Door(p + way, "POST", p, by | ways[way], PLACES[p], False, p + way in first) for p, way in named]
    return [*doors, Door("callbacks", "POST", callback, is_signed=True, is_first_of_its_kind=True)]


def other_doors(acme: Registration, ids: dict[str, str]) -> Iterator[Door]:
    """From the document: a call that is added there is one of these by itself."""
    for path, calls in yaml.safe_load(DOCUMENT.read_text())["paths"].items():
        for method, call in calls.items():
            if "requestBody" in call and "{token}" not in path:
                key = ids["inbox"] if path.startswith("/v1/inbox/") else ""
                by = {"Authorization": f"Bearer {key}"} if key else {"X-API-KEY": acme.api_key}
                yield Door(
                    f"{method.upper()} {path}", method.upper(), path.format_map(ids), by, PLACES.get(path, ANYWHERE)
                )


def possessions(acme: Registration, live: APIClient) -> dict[str, str]:
    """Ids for all paths, by the name of the parameter, and the path of a callback."""
    mail = {"host": "mail.example.com", "callbacks": "standard_webhooks"} | {
        "callback_secret": secret_of("standard_webhooks")
    }
    made = {
        "customer": live.post("/api/v1/customers/", {"user_id": "ada", "email": "ada@example.com"}),
        "template_id": live.post("/v1/templates/", {"name": "t", "channel": "email", "subject": "S", "body": "B"}),
        "integration_id": live.post("/v1/integrations/", {"channel": "email", "config": mail}),
        "workflow_id": live.post("/v1/workflows/", {"event_type": "A", "channels": ["email"]}),
        "inbox": live.post("/v1/subscribers/ada/inbox-tokens/", {}),
    }
    assert {answer.status_code for answer in made.values()} == {201}, [a.content for a in made.values()]
    ids = {name: answer.json().get("id") or answer.json()["token"] for name, answer in made.items()}
    item = {"sku": "tea", "name": "Tea", "quantity": 1, "unit_price": "1.00"}
    order = {"customer_id": "ada", "order_number": "1", "items": [item], "currency": "EUR"}
    ids["order"] = client_with(acme.test_api_key).post("/api/v1/orders/", order).json()["id"]
    ids |= {"user_id": "ada", "callback": made["integration_id"].json()["callback_url"]}
    return defaultdict(lambda: ids["customer"], ids)  # whatever else there is, that id is nobody's


class Caller:
    """A client with one connection, which it opens anew where the server has closed it."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._connection = HTTPConnection(at.hostname or "", at.port, timeout=20)

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any, float]:
        """Status, content type and seconds; status 0 when the server has hung up on us."""
        began = time.perf_counter()
        try:
            self._connection.request(method, path, body, dict(headers))
            answer = self._connection.getresponse()
            answer.read()
        except (ConnectionError, HTTPException):
            self._connection.close()
            return 0, "", time.perf_counter() - began
        return answer.status, answer.headers.get_content_type(), time.perf_counter() - began
