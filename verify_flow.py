#!/usr/bin/env python3
"""Drives one event through a running install and checks what came of it. Standard library only.

    python verify_flow.py [BASE_URL]          default http://127.0.0.1:8000, or BASE_URL from the environment

Sets a customer's preferences for email and Slack, posts an ORDER_CREATED event, waits, and prints the notification
logs. Exit code 0 when both channels were sent, 1 on anything else.

Against this machine the messages really go out: the email through the configured backend, the Slack call to a
receiver that this script plays itself (and checks). Against any other host, or with --sandbox, a test key is used and
both are captured in the sandbox. An install with closed registration needs API_KEY (a live or a test key).
"""

import argparse
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

CHANNELS = ("email", "slack")
FINAL = {"sent", "delivered", "bounced", "suppressed", "held", "failed", "cancelled", "expired"}


class Failure(Exception):
    """Something was not as it should be; the text says what."""


class SlackReceiver(BaseHTTPRequestHandler):
    """Answers like a Slack incoming webhook and remembers what it got."""

    received: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.received.append(json.loads(body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        """Silent: the output of this script is a contract."""


class Client:
    """A few calls of the API."""

    def __init__(self, base_url: str) -> None:
        self.base_url, self.key = base_url.rstrip("/"), ""

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base_url + path, data=data, method=method)  # noqa: S310 - the user names it
        request.add_header("Content-Type", "application/json")
        if self.key:
            request.add_header("X-API-KEY", self.key)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as exc:
            raise Failure(f"{method} {path} answered {exc.code}: {exc.read().decode(errors='replace')[:500]}") from exc
        except OSError as exc:
            raise Failure(f"{self.base_url} does not answer ({exc}). Is the server running?") from exc


def main() -> int:
    args = arguments()
    try:
        logs = verify(Client(args.base_url), is_sandbox=args.sandbox, seconds=args.timeout)
    except Failure as failure:
        print(f"verify_flow: {failure}", file=sys.stderr)
        return 1
    print(f"Found {len(logs)} notification logs:")
    for log in logs:
        print(f" - {log['channel']}: {log['status']}")
    return 0 if [(log["channel"], log["status"]) for log in logs] == [(c, "sent") for c in CHANNELS] else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Drive one event through a running install.")
    parser.add_argument("base_url", nargs="?", default=os.environ.get("BASE_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--sandbox", action="store_true", help="use a test key: nothing leaves the install")
    parser.add_argument("--timeout", type=float, default=30, help="seconds to wait for delivery")
    args = parser.parse_args()
    host = urlsplit(args.base_url).hostname or ""
    args.sandbox = args.sandbox or not (host == "localhost" or host.startswith("127.") or host == "::1")
    return args


def verify(client: Client, *, is_sandbox: bool, seconds: float) -> list[dict[str, Any]]:
    """The notification logs of one event, by channel. Raises Failure."""
    client.key = os.environ.get("API_KEY") or register(client, is_sandbox=is_sandbox)
    is_sandbox = is_sandbox or client.key.startswith("sk_test_")
    hook = "https://hooks.slack.com/services/T000/B000/verify" if is_sandbox else receive_slack()
    user_id = f"verify-{uuid.uuid4().hex[:12]}"
    customer = {
        "user_id": user_id,
        "name": "Vera Flow",
        "email": f"{user_id}@example.com",
        "addresses": {"slack": hook},
    }
    client.call("POST", "/api/v1/customers/", customer)
    client.call("PUT", f"/v1/preferences/{user_id}/", {"channels": dict.fromkeys(CHANNELS, True)})
    event = {"event_type": "ORDER_CREATED", "user_id": user_id, "payload": {"order_id": 7, "total": "12.50"}}
    event_id = client.call("POST", "/api/events/", event)["id"]
    logs = wait_for_logs(client, event_id, seconds)
    if (
        not is_sandbox
        and ("slack", "sent") in [(log["channel"], log["status"]) for log in logs]
        and not SlackReceiver.received
    ):
        raise Failure("Slack is logged as sent, but its receiver was never called.")
    return logs


def register(client: Client, *, is_sandbox: bool) -> str:
    tenant = {"name": f"Verify flow {uuid.uuid4().hex[:8]}", "email": "verify@example.com"}
    try:
        answer = client.call("POST", "/v1/tenants/register/", tenant)
    except Failure as failure:
        raise Failure(
            f"{failure}\nIf registration is closed, name a key: API_KEY=sk_… python verify_flow.py"
        ) from failure
    return str(answer["test_api_key" if is_sandbox else "api_key"])


def receive_slack() -> str:
    server = HTTPServer(("127.0.0.1", 0), SlackReceiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/services/T000/B000/verify"


def wait_for_logs(client: Client, event_id: str, seconds: float) -> list[dict[str, Any]]:
    """The logs once the event is routed and all are final, or as they are when time is up."""
    deadline = time.monotonic() + seconds
    while True:
        is_routed = client.call("GET", f"/api/events/{event_id}/")["status"] == "completed"
        logs = client.call("GET", f"/v1/notifications/?event_id={event_id}")["data"]
        if (is_routed and all(log["status"] in FINAL for log in logs)) or time.monotonic() > deadline:
            return sorted(logs, key=lambda log: log["channel"])
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
