"""Connections that are kept, shared with a fork, or inside TLS."""

import os
import socket
import threading
import time
from collections.abc import Callable

import pytest

from delivery_gateway.contract import Ambiguous, Transient
from delivery_gateway.egress import Egress
from delivery_gateway.egress import connections as egress_connections
from tests.adapters_contract.conftest import EchoPeer, error_of, policy
from tests.peers.certificates import Authority
from tests.peers.smtp import SmtpPeer


def test_a_connection_serves_many_posts(peer: EchoPeer, egress: Egress) -> None:
    for _ in range(20):
        egress.post(peer.url, body={})

    assert (peer.connections, len(peer.received)) == (1, 20)


def test_a_connection_the_server_closed_while_it_rested_is_replaced(peer: EchoPeer, egress: Egress) -> None:
    peer.script(*["silent_close"] * 10)

    statuses = []
    for _ in range(10):
        statuses.append(egress.post(peer.url, body={}).status)
        _until_dropped(egress)

    assert statuses == [200] * 10
    assert peer.connections == len(peer.received) == 10


def test_a_connection_that_rested_too_long_is_replaced(peer: EchoPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery_gateway.egress.client.REST_SECONDS", 0.05)
    egress = Egress(policy(total_seconds=10.0))

    egress.post(peer.url, body={})
    _until(lambda: len(egress._kept) == 0)  # closed by itself, without another post
    egress.post(peer.url, body={})
    egress.close()

    assert peer.connections == 2


def test_an_old_connection_is_replaced(peer: EchoPeer, egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    egress.post(peer.url, body={})
    monkeypatch.setattr(egress_connections, "MAX_AGE", 0.0)
    egress.post(peer.url, body={})

    assert peer.connections == 2


def test_kept_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery_gateway.egress.client.KEPT_PER_HOST", 16)
    egress = Egress(policy(total_seconds=10.0))
    with EchoPeer() as peer:
        threads = [threading.Thread(target=egress.post, args=(peer.url,), kwargs={"body": {}}) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(peer.received) == 40
        assert len(egress._kept) <= 16
        egress.close()


def test_a_forked_child_leaves_its_parents_connections_alone(peer: EchoPeer, egress: Egress) -> None:
    egress.post(peer.url, body={})

    child = _fork(lambda: egress.post(peer.url, body={"from": "child"}).status == 200)
    egress.post(peer.url, body={"from": "parent"})

    assert child == 0
    assert [(r.connection, r.body) for r in peer.wait_for(3)[1:]] == [
        (2, b'{"from":"child"}'),
        (1, b'{"from":"parent"}'),
    ]


def test_a_forked_child_has_deadlines_too(peer: EchoPeer, hasty: Egress) -> None:
    peer.script("trickle", "trickle")  # which only a watchdog ends
    error_of(lambda: hasty.post(peer.url, body={}))  # the parent's watchdog runs

    def hangs_in_vain() -> bool:
        began = time.monotonic()
        error = error_of(lambda: hasty.post(peer.url, body={}))
        return error.code == "timeout" and time.monotonic() - began < 1.5

    assert _fork(hangs_in_vain) == 0


# --- TLS --------------------------------------------------------------------------------------------------------


def test_tls_checks_the_certificate_and_keeps_the_name(authority: Authority) -> None:
    egress = Egress(policy(total_seconds=10.0), resolve=lambda host, port: ["127.0.0.1"], tls=authority.trust)
    with EchoPeer(tls=authority.server("hook.example")) as peer:
        for _ in range(2):
            reply = egress.post(f"https://hook.example:{peer.port}/", body={})
        egress.close()

        assert (reply.status, peer.connections) == (200, 1)
        assert peer.received[0].headers["host"] == f"hook.example:{peer.port}"


@pytest.mark.parametrize(("name", "trusts"), [("other.example", True), ("hook.example", False)])
def test_a_certificate_of_another_name_or_authority_is_transient(authority: Authority, name: str, trusts: bool) -> None:
    trust = authority.trust if trusts else None
    egress = Egress(policy(total_seconds=10.0), resolve=lambda host, port: ["127.0.0.1"], tls=trust)
    with EchoPeer(tls=authority.server(name)) as peer:
        error = error_of(lambda: egress.post(f"https://hook.example:{peer.port}/", body={}))

        assert (type(error), error.code) == (Transient, "tls_certificate")
        assert peer.received == []


def test_a_server_without_tls_is_transient(smtp_peer: SmtpPeer, egress: Egress) -> None:
    error = error_of(lambda: egress.post(f"https://127.0.0.1:{smtp_peer.port}/", body={}))

    assert (type(error), error.code) == (Transient, "tls_failed")


def test_a_handshake_that_never_ends_is_transient(hasty: Egress) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = error_of(lambda: hasty.post(f"https://127.0.0.1:{silent.getsockname()[1]}/", body={}))

    assert (type(error), error.code) == (Transient, "tls_timeout")


@pytest.mark.parametrize("fault", ["hang", "trickle", "trickle_body"])
def test_deadlines_hold_inside_tls(fault: str, authority: Authority) -> None:
    egress = Egress(policy(), tls=authority.trust)
    with EchoPeer(tls=authority.server("127.0.0.1")) as peer:
        peer.script("ok", fault)
        egress.post(peer.url, body={})  # the second call meets a kept connection
        began = time.monotonic()
        error = error_of(lambda: egress.post(peer.url, body={}))

        assert (type(error), error.code, peer.connections) == (Ambiguous, "timeout", 1)
        assert time.monotonic() - began < 1.5


# --- What the tests above lean on -------------------------------------------------------------------------------


def _until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, "it did not come to that"
        time.sleep(0.005)


def _until_dropped(egress: Egress) -> None:
    """Until the server's goodbye has arrived on every kept connection."""
    kept = [connection for row in egress._kept._resting.values() for _, connection in row]
    _until(lambda: not any(egress_connections.is_usable(connection) for connection in kept))


def _fork(work: Callable[[], bool]) -> int:
    """Runs `work` in a forked child, as Celery's pool does; 0 when it returned True."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if work() else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
