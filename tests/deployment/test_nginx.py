"""The proxy as clients meet it: the real nginx with our files, before a peer that stands in for the web processes."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.deployment.proxy import HOST, Proxy, command, configured, directives, proxy
from tests.flow.stack import wait_until
from tests.peers.certificates import Authority
from tests.peers.http_server import Answer, HttpPeer, Request

SIZES = {"256k": 256 * 1024, "4m": 4 * 1024 * 1024}
PUBLIC_ADDRESS = "203.0.113.9"


class Web(HttpPeer):
    """Stands in for a web process."""

    def answer(self, request: Request) -> Answer:
        return Answer.of({"web": True}, headers={"X-Request-ID": request.headers["x-request-id"]})


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as peer:
        yield peer


@pytest.fixture
def edge(web: Web, tmp_path: Path) -> Iterator[Proxy]:
    with proxy(tmp_path, webs=[f"{HOST}:{web.port}"]) as running:
        yield running


def check(conf: Path) -> str:
    return subprocess.run(command(conf, "-t"), capture_output=True, text=True).stderr


def test_configuration_is_valid(tmp_path: Path) -> None:
    assert "test is successful" in check(configured(tmp_path, webs=[], port=8000))


def test_configuration_for_the_internet_is_valid(tmp_path: Path) -> None:
    conf = configured(tmp_path, webs=[], port=8000)
    (conf.parent / "tls/https.conf").rename(conf.parent / "servers/http.conf")
    Authority(tmp_path).server("localhost")
    [pem] = tmp_path.glob("*.pem")
    for name in ("tls.crt", "tls.key"):
        (conf.parent / "tls" / name).write_bytes(pem.read_bytes())

    assert "test is successful" in check(conf)


def test_limits_are_those_of_the_product() -> None:
    limits = {place: SIZES[size] for place, [size] in directives("client_max_body_size").items()}

    assert limits == {"": settings.MAX_BODY_BYTES, "~ /batch/?$": settings.MAX_BATCH_BODY_BYTES}


def test_request_reaches_the_web_process_with_who_and_how(edge: Proxy, web: Web) -> None:
    answer = edge.ask("POST", "/v1/notify/", b"{}", {"Host": "notify.example.com", "X-Request-ID": "order-7.a"})

    [request] = web.received
    assert (answer.status, answer.headers.get_all("X-Request-ID")) == (200, ["order-7.a"])
    assert (request.method, request.target, request.body) == ("POST", "/v1/notify/", b"{}")
    assert request.headers["host"] == "notify.example.com"
    assert (request.headers["x-forwarded-for"], request.headers["x-forwarded-proto"]) == (HOST, "http")


def test_request_id_that_is_malformed_is_replaced(edge: Proxy, web: Web) -> None:
    answer = edge.ask("GET", "/v1/notify/", headers={"X-Request-ID": "two words"})

    given = web.received[0].headers["x-request-id"]
    assert len(given) == 32
    assert answer.headers.get_all("X-Request-ID") == [given]


def test_load_balancer_in_a_private_network_is_believed(edge: Proxy, web: Web) -> None:
    claims = {"X-Forwarded-For": f"10.9.9.9, {PUBLIC_ADDRESS}", "X-Forwarded-Proto": "https"}

    edge.ask("GET", "/v1/notify/", headers=claims)

    headers = web.received[0].headers
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == (PUBLIC_ADDRESS, "https")


@pytest.mark.parametrize(("path", "size"), [("/v1/notify/", "256k"), ("/v1/notify/batch/", "4m")])
def test_body_over_the_limit_is_a_problem_at_the_edge(edge: Proxy, web: Web, path: str, size: str) -> None:
    largest = b"x" * SIZES[size]

    taken = edge.ask("POST", path, largest)
    refused = edge.ask("POST", path, largest + b"x", {"X-Request-ID": "too-much"})

    problem = json.loads(refused.body)
    assert (taken.status, len(web.received)) == (200, 1)
    assert (refused.status, refused.headers["Content-Type"]) == (413, "application/problem+json")
    assert (problem["code"], problem["request_id"]) == ("payload_too_large", "too-much")
    assert refused.headers["X-Request-ID"] == "too-much"
    assert refused.headers["X-Content-Type-Options"] == "nosniff"


def test_web_process_that_is_gone_costs_nothing_while_another_is_there(web: Web, tmp_path: Path) -> None:
    with proxy(tmp_path, webs=[f"{HOST}:1", f"{HOST}:{web.port}"]) as edge:
        answers = [edge.ask("POST", "/v1/notify/", b"{}").status for _ in range(4)]

    assert (answers, len(web.received)) == ([200] * 4, 4)


def test_no_web_process_at_all_is_a_problem_to_repeat_later(tmp_path: Path) -> None:
    with proxy(tmp_path, webs=[f"{HOST}:1"]) as edge:
        answer = edge.ask("POST", "/v1/notify/", b"{}")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.body)["request_id"] == answer.headers["X-Request-ID"]


def test_post_whose_web_process_died_on_it_is_not_repeated(web: Web, tmp_path: Path) -> None:
    web.always("close")
    with proxy(tmp_path, webs=[f"{HOST}:{web.port}", f"localhost:{web.port}"]) as edge:
        answer = edge.ask("POST", "/v1/notify/", b"{}")

    assert (answer.status, len(web.received)) == (503, 1)


def test_slow_upload_holds_no_web_process_and_ends(web: Web, tmp_path: Path) -> None:
    hurry = {"client_body_timeout 10s": "client_body_timeout 1s"}
    with proxy(tmp_path, webs=[f"{HOST}:{web.port}"], instead=hurry) as edge, edge.connect() as client:
        client.sendall(b"POST /v1/notify/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
        rest = client.recv(4096)

    assert (rest, web.connections) == (b"", 0)


def test_stream_of_the_inbox_comes_as_it_is_written(edge: Proxy, web: Web) -> None:
    web.script("trickle_open")
    with edge.connect() as client:
        client.sendall(b"GET /v1/inbox/stream/ HTTP/1.1\r\nHost: x\r\n\r\n")
        first = client.recv(4096)
        second = client.recv(4096)

    assert first.startswith(b"HTTP/1.1 200 ")
    assert second


def test_metrics_are_for_private_networks_only(edge: Proxy) -> None:
    inside = edge.ask("GET", "/metrics/")
    outside = edge.ask("GET", "/metrics/", headers={"X-Forwarded-For": PUBLIC_ADDRESS})

    assert (inside.status, outside.status) == (200, 403)
    assert json.loads(outside.body)["code"] == "permission_denied"


def test_log_has_ids_but_no_query_and_no_health(edge: Proxy) -> None:
    for path in ("/livez", "/readyz", "/health/redis/"):
        edge.ask("GET", path)
    edge.ask("GET", "/v1/sandbox/messages/?to=ann@example.com", headers={"X-Request-ID": "seen"})

    wait_until(lambda: "seen" in edge.access_log, seconds=5, what="the log line")
    [line] = [json.loads(line) for line in edge.access_log.splitlines()]
    assert (line["path"], line["status"], line["request_id"]) == ("/v1/sandbox/messages/", 200, "seen")
    assert "ann@example.com" not in edge.access_log


def test_api_is_not_compressed_but_static_files_are(edge: Proxy, web: Web) -> None:
    asks = {"Accept-Encoding": "gzip"}
    web.answer = lambda request: Answer(200, "x" * 2000, {"Content-Type": "text/css"})  # type: ignore[method-assign]

    api, static = edge.ask("GET", "/v1/x/", headers=asks), edge.ask("GET", "/static/admin.css", headers=asks)

    assert (api.headers["Content-Encoding"], static.headers["Content-Encoding"]) == (None, "gzip")
