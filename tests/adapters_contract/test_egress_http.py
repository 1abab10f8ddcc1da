"""What one POST means: answers of every kind, and what each failure says about the message."""

import contextlib
import logging
import socket
import threading
import time

import pytest

from delivery_gateway.contract import Ambiguous, ContentRejected, DeliveryError, Misconfigured, Transient
from delivery_gateway.egress import Egress
from tests.adapters_contract.conftest import SECRET_PATH, EchoPeer, error_of, policy


def test_a_post_says_what_it_must_and_nothing_of_python(peer: EchoPeer, egress: Egress) -> None:
    reply = egress.post(peer.url, body={"a": "ä"}, headers={"X-Extra": "yes"})

    (request,) = peer.received
    assert (reply.status, reply.text) == (200, "")
    assert (request.method, request.target, request.body) == ("POST", SECRET_PATH, '{"a":"ä"}'.encode())
    assert dict(request.headers) == {
        "host": f"127.0.0.1:{peer.port}",
        "content-length": "10",
        "content-type": "application/json; charset=utf-8",
        "accept-encoding": "identity",
        "user-agent": "TrafficControl/0.1.0",
        "x-extra": "yes",
    }


def test_bytes_are_sent_as_they_are(peer: EchoPeer, egress: Egress) -> None:
    egress.post(peer.url, body=b"\x00exactly\xff")

    assert peer.received[0].body == b"\x00exactly\xff"


@pytest.mark.parametrize("status", [200, 204, 400, 404, 429, 500, 503])
def test_any_status_is_an_answer(status: int, peer: EchoPeer, egress: Egress) -> None:
    peer.script(f"{status}:3")

    reply = egress.post(peer.url, body={})

    assert (reply.status, reply.retry_after) == (status, 3.0)


def test_a_redirect_is_an_answer_that_nobody_follows(peer: EchoPeer, egress: Egress) -> None:
    with EchoPeer() as elsewhere:
        peer.script(f"redirect:{elsewhere.url}")
        reply = egress.post(peer.url, body={})

        assert (reply.status, elsewhere.connections) == (302, 0)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("reset", (Ambiguous, "connection_lost")),
        ("close", (Ambiguous, "connection_lost")),
        ("truncate", (Ambiguous, "connection_lost")),
        ("half_headers", (Ambiguous, "connection_lost")),
        ("garbage", (Ambiguous, "bad_reply")),
        ("headers", (Ambiguous, "bad_reply")),
        ("hang", (Ambiguous, "timeout")),
        ("trickle", (Ambiguous, "timeout")),
        ("trickle_body", (Ambiguous, "timeout")),
        ("trickle_open", (Ambiguous, "timeout")),
    ],
)
def test_a_failure_after_the_request_was_written_is_ambiguous(
    fault: str, expected: tuple[type[DeliveryError], str], peer: EchoPeer, hasty: Egress
) -> None:
    peer.script(fault)

    error = error_of(lambda: hasty.post(peer.url, body={}))

    assert (type(error), error.code) == expected
    assert SECRET_PATH not in str(error)


@pytest.mark.parametrize("fault", ["truncate:500", "trickle_body:500"])
def test_a_refusal_stays_one_when_its_text_is_cut(fault: str, peer: EchoPeer, hasty: Egress) -> None:
    peer.script(fault)

    assert hasty.post(peer.url, body={}).status == 500


@pytest.mark.parametrize("fault", ["hang", "trickle", "trickle_body"])
def test_no_peer_holds_a_call_longer_than_its_deadline(fault: str, peer: EchoPeer, hasty: Egress) -> None:
    peer.always(fault)

    began = time.monotonic()
    error_of(lambda: hasty.post(peer.url, body={}))

    assert 0.25 < time.monotonic() - began < 1.5


def test_a_call_may_be_given_less_time(peer: EchoPeer, egress: Egress) -> None:
    peer.script("trickle")

    began = time.monotonic()
    error_of(lambda: egress.post(peer.url, body={}, timeout=0.1))

    assert time.monotonic() - began < 1.5


def test_a_huge_reply_is_cut_and_still_an_answer(peer: EchoPeer, egress: Egress) -> None:
    peer.script("huge:50000000")

    reply = egress.post(peer.url, body={})

    assert (reply.status, len(reply.text)) == (200, 64 * 1024)
    egress.post(peer.url, body={})
    assert peer.connections == 2  # the rest of it is not waited for


def test_a_reply_is_never_decompressed(peer: EchoPeer, egress: Egress) -> None:
    peer.script("gzip")

    assert egress.post(peer.url, body={}).text == ""


def test_a_refused_connection_is_transient(egress: Egress) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        error = error_of(lambda: egress.post(f"http://127.0.0.1:{taken.getsockname()[1]}/", body={}))

    assert (type(error), error.code) == (Transient, "connect_refused")


def test_a_connection_nobody_accepts_is_transient() -> None:
    egress = Egress(policy(connect_seconds=0.1))
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):  # takes the only place in the queue
            error = error_of(lambda: egress.post(f"http://127.0.0.1:{full.getsockname()[1]}/", body={}))

    assert (type(error), error.code) == (Transient, "connect_timeout")


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "dns_not_found"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "dns_failed"),
        (OSError(5, "no network"), "dns_failed"),
        (UnicodeError("label too long"), "dns_not_found"),
    ],
)
def test_a_name_without_address_is_transient(failure: Exception, code: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise failure

    error = error_of(lambda: Egress(policy(), resolve=resolve).post("https://nowhere.example/", body={}))

    assert (type(error), error.code) == (Transient, code)


def test_a_lookup_that_hangs_is_left_behind() -> None:
    over = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        over.wait(10)
        return ["127.0.0.1"]

    began = time.monotonic()
    error = error_of(lambda: Egress(policy(), resolve=resolve).post("https://slow.example/", body={}))
    over.set()

    assert (type(error), error.code) == (Transient, "dns_timeout")
    assert time.monotonic() - began < 1.5


def test_every_address_is_tried(peer: EchoPeer) -> None:
    egress = Egress(policy(total_seconds=10.0), resolve=lambda host, port: ["::1", "127.0.0.3", "127.0.0.1"])

    assert egress.post(f"http://three.example:{peer.port}/", body={}).status == 200
    egress.close()


def test_what_json_cannot_say_is_the_contents_fault(egress: Egress) -> None:
    error = error_of(lambda: egress.post("http://127.0.0.1:1/", body={"text": "\ud800"}))

    assert (type(error), error.code) == (ContentRejected, "not_json")


def test_a_header_that_would_inject_another_is_refused(peer: EchoPeer, egress: Egress) -> None:
    error = error_of(lambda: egress.post(peer.url, body={}, headers={"X-A": "1\r\nX-B: 2"}))

    assert (type(error), error.code) == (Misconfigured, "invalid_header")
    assert peer.received == []


def test_nothing_is_logged_about_a_strange_reply(
    peer: EchoPeer, hasty: Egress, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for fault in ("garbage", "truncate", "reset", "headers", "ok"):
        peer.script(fault)
        with contextlib.suppress(DeliveryError):
            hasty.post(peer.url, body={"body": "private words"})

    assert [r.message for r in caplog.records if "secret-path" in r.getMessage() or "private" in r.getMessage()] == []
