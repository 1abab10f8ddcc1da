"""The product as it stands in production: nginx, with TLS ended before it, in front of a web process."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from tests.deployment.proxy import Answer, Proxy, proxy
from tests.flow.stack import stack

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="a server beside the test needs PostgreSQL")

SEND = {"channel": "email", "to": "user@example.com", "subject": "Hello", "body": "It works."}


@pytest.fixture
def edge(acme, tmp_path: Path) -> Iterator[Proxy]:
    with stack(tmp_path, BEHIND_PROXY="1") as running:
        web = urlsplit(running.web()).netloc
        with proxy(tmp_path, webs=[web]) as edge:
            yield edge


def post(edge: Proxy, path: str, body: bytes, *, key: str, **headers: str) -> Answer:
    over_tls = {"X-API-KEY": key, "Content-Type": "application/json", "X-Forwarded-Proto": "https"}
    return edge.ask("POST", path, body, over_tls | {name.replace("_", "-"): value for name, value in headers.items()})


def test_send_through_nginx_is_stored_under_the_callers_request_id(acme, edge: Proxy) -> None:
    answer = post(edge, "/v1/notify/", json.dumps(SEND).encode(), key=acme.test_api_key, X_Request_ID="order-7")

    assert (answer.status, json.loads(answer.body)["status"]) == (202, "pending")
    assert answer.headers.get_all("X-Request-ID") == ["order-7"]
    assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=2592000"


def test_oversized_body_is_the_same_problem_from_nginx_and_from_the_product(acme, edge: Proxy) -> None:
    most = settings.MAX_BATCH_BODY_BYTES
    for path, size, status, code in [
        ("/v1/notify/", settings.MAX_BODY_BYTES + 1, 413, "payload_too_large"),
        ("/v1/notify/", settings.MAX_BODY_BYTES, 400, "malformed_json"),
        ("/v1/notify/batch/", settings.MAX_BODY_BYTES + 1, 400, "malformed_json"),
        ("/v1/notify/batch/", most + 1, 413, "payload_too_large"),
    ]:
        answer = post(edge, path, b"x" * size, key=acme.test_api_key)

        problem = json.loads(answer.body)
        assert (path, size, answer.status, problem["code"]) == (path, size, status, code)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert problem["request_id"] == answer.headers["X-Request-ID"]


def test_plain_http_is_sent_to_https_but_probes_are_answered(acme, edge: Proxy) -> None:
    page, probes = edge.ask("GET", "/admin/login/"), [edge.ask("GET", path) for path in ("/livez", "/readyz")]

    assert (page.status, page.headers["Location"]) == (301, f"https://127.0.0.1:{edge.port}/admin/login/")
    assert [probe.status for probe in probes] == [200, 200]


def test_console_works_through_nginx(acme, edge: Proxy) -> None:
    over_tls = {"X-Forwarded-Proto": "https"}

    page = edge.ask("GET", "/admin/login/", headers=over_tls)
    style = edge.ask("GET", "/static/admin/css/base.css", headers=over_tls)

    assert (page.status, style.status) == (200, 200)
    assert b"csrfmiddlewaretoken" in page.body
    assert style.headers["Content-Type"].startswith("text/css")
