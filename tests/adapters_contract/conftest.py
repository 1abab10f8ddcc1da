"""Ways out for these tests: loopback counts as permitted, deadlines are short, names resolve as the test says."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from delivery_gateway.channels import email
from delivery_gateway.channels.email import Email
from delivery_gateway.channels.smtp import SmtpBackend
from delivery_gateway.contract import DeliveryError, Message
from delivery_gateway.egress import Egress, EgressPolicy
from tests.peers.certificates import Authority
from tests.peers.http_server import HttpPeer
from tests.peers.smtp import SmtpPeer

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
ID = uuid.UUID("019aa4b1-7c00-7000-8000-0123456789ab")
EVENT_ID = uuid.UUID("019aa4b1-7b00-7000-8000-0123456789ab")


def policy(**changes: object) -> EgressPolicy:
    """Loopback permitted; a whole call may take 0.3 s."""
    values: dict[str, object] = {"allow": LOOPBACK, "allow_http": True, "total_seconds": 0.3, "resolve_seconds": 0.2}
    return EgressPolicy(**(values | changes))  # type: ignore[arg-type]


SENDER = "Acme <orders@acme.example>"
SECRET_PATH = "/services/secret-path"


class EchoPeer(HttpPeer):
    """Some HTTP server; its path plays a secret."""

    path = SECRET_PATH


def error_of(call: Callable[[], object]) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        call()
    return caught.value


def mailer(
    egress: Egress,
    peer: SmtpPeer,
    *,
    host: str = "127.0.0.1",
    seconds: float = 10.0,
    max_age: float = 60.0,
    **options: Any,
) -> Email:
    """An email channel for that server."""

    def backend() -> SmtpBackend:
        return SmtpBackend(host=host, port=peer.port, egress=egress, total_seconds=seconds, **options)

    return Email(backend, SENDER, max_age=max_age)


@pytest.fixture(autouse=True)
def _no_mail_connection_is_kept() -> Iterator[None]:
    yield
    email._kept.clear()


@pytest.fixture
def peer() -> Iterator[EchoPeer]:
    with EchoPeer() as running:
        yield running


@pytest.fixture
def egress() -> Iterator[Egress]:
    """For answers that come: a generous deadline."""
    with_time = Egress(policy(total_seconds=10.0))
    yield with_time
    with_time.close()


@pytest.fixture
def hasty() -> Iterator[Egress]:
    """For answers that do not come."""
    without_time = Egress(policy())
    yield without_time
    without_time.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("certificates")))


@pytest.fixture
def message() -> Callable[..., Message]:
    """A message with everything in it; give what the test is about."""

    def build(address: str, channel: str = "webhook", **changes: object) -> Message:
        values: dict[str, object] = {
            "id": ID,
            "channel": channel,
            "address": address,
            "subject": "Order 7 created",
            "body": "Thank you, Ada.",
            "event_type": "ORDER_CREATED",
            "event_id": EVENT_ID,
            "user_id": "u1",
            "payload": {"order_id": 7},
            "created_at": datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
        }
        return Message(**(values | changes))  # type: ignore[arg-type]

    return build
