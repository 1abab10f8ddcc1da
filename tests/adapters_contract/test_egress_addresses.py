"""Where the egress refuses to go. A canary on loopback must not see one connection."""

# ruff: noqa: SIM905 - a table of addresses reads better as a text

import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest

from delivery_gateway.contract import DeliveryError, Misconfigured
from delivery_gateway.egress import WEB_PORTS, Egress, EgressPolicy
from tests.adapters_contract.conftest import LOOPBACK, policy
from tests.peers.http_server import HttpPeer

NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.0.1.1
    127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1
    192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
    224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
    64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:2::1 2001:20::1
    2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fdff::1 fe80::1 febf::1 fec0::1
    ff02::1 ff0e::1 4000::1
""".split()
PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.167.1.1
    223.255.255.255
    2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450::1 2400:cb00::1
""".split()
ODD_HOSTS = """
    2130706433 0x7f000001 0x7f.1 0x7f.0.0.1 0177.0.0.1 127.1 127.0.1 127.0.0.01 0 0.0 00 127.0.0.1.
    localhost. metadata.google.internal. 017700000001 0x7F000001 1.2.3 127.0.0.256 127.0.0.0x1
    [fe80::1%25lo] [fe80::1%lo] [::1%25eth0] [::ffff:127.0.0.1%25lo] [::1]. [127.0.0.1] a..b .example.com -a.example
    exa_mple-.com ex%61mple.com
""".split()


TLS = ssl.create_default_context()  # takes a moment to make, and is never reached here


class Canary(HttpPeer):
    """Listens where nothing may arrive."""


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary() as peer:
        yield peer


def strict(answers: list[str] | None = None) -> Egress:
    """As in production: nothing permitted but the public internet; `answers` is what every name resolves to."""
    policy = EgressPolicy(allow_http=True, connect_seconds=0.2)
    return Egress(policy, resolve=lambda host, port: answers or [], tls=TLS)


def refused_code(egress: Egress, url: str) -> tuple[type[DeliveryError], str]:
    with pytest.raises(DeliveryError) as caught:
        egress.post(url, body={})
    return type(caught.value), caught.value.code


def is_open(*addresses: str) -> bool:
    """Whether a name with these addresses may be reached on a usual port, so that nothing but the addresses decides."""
    try:
        EgressPolicy().check("hook.example", 443, [ip_address(a) for a in addresses], ports=WEB_PORTS)
    except Misconfigured:
        return False
    return True


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(address: str, canary: Canary) -> None:
    host = f"[{address}]" if ":" in address else address
    as_literal = refused_code(strict(), f"http://{host}:{canary.port}/")
    as_answer = refused_code(strict([address]), f"http://hook.example:{canary.port}/")

    assert as_literal == as_answer == (Misconfigured, "egress_refused")
    assert canary.connections == 0
    assert not is_open(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not_refused(address: str) -> None:
    assert is_open(address)


@pytest.mark.parametrize("host", ODD_HOSTS)
def test_an_oddly_written_host_is_refused(host: str, canary: Canary) -> None:
    permitted = Egress(policy())  # even where loopback is permitted

    assert refused_code(permitted, f"http://{host}:{canary.port}/") == (Misconfigured, "egress_refused")
    assert canary.connections == 0


@pytest.mark.parametrize(
    "answers",
    [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"], ["2606:4700::1", "fe80::1%lo", "8.8.8.8"]],
)
def test_one_bad_address_among_good_ones_refuses_the_name(answers: list[str], canary: Canary) -> None:
    assert refused_code(strict(answers), f"http://hook.example:{canary.port}/")[1] == "egress_refused"
    assert canary.connections == 0
    assert not is_open(*answers)


@pytest.mark.parametrize("port", [22, 25, 6379, 5432, 8000, 65535])
def test_a_port_outside_the_list_is_refused(port: int) -> None:
    assert refused_code(strict(["8.8.8.8"]), f"https://hook.example:{port}/") == (Misconfigured, "egress_refused")


def test_plain_http_is_refused_unless_the_operator_allows_it() -> None:
    egress = Egress(EgressPolicy())

    with pytest.raises(Misconfigured, match=r"hook\.example .* plain http.*EGRESS_ALLOW_HTTP"):
        egress.post("http://hook.example/", body={})


def test_the_refusal_names_host_reason_and_next_step_but_not_the_address() -> None:
    with pytest.raises(Misconfigured) as caught:
        strict(["10.1.2.3"]).post("https://hook.example/secret", body={})

    assert caught.value.detail == (
        "hook.example is a private address, or resolves to one. "
        "If it is meant, the operator adds its network to EGRESS_ALLOW."
    )


def test_a_permitted_network_may_be_reached_on_any_port(canary: Canary) -> None:
    egress = Egress(policy(total_seconds=10.0), resolve=lambda host, port: ["127.0.0.1"])

    assert egress.post(f"http://anything.test:{canary.port}/", body={}).status == 200
    egress.close()


def test_permitting_loopback_permits_nothing_else() -> None:
    egress = Egress(EgressPolicy(allow=LOOPBACK, allow_http=True))

    for host in ("10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "[fe80::1]"):
        assert refused_code(egress, f"http://{host}/")[1] == "egress_refused"


def test_a_name_that_turns_to_loopback_is_checked_again(canary: Canary) -> None:
    """DNS rebinding. 127.0.0.2 stands for the public address, and is the only one permitted."""
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    permitted = EgressPolicy(allow=(ip_network("127.0.0.2/32"),), allow_http=True)
    egress = Egress(permitted, resolve=lambda host, port: next(answers))
    with Canary(host="127.0.0.2", port=canary.port) as public:
        first = egress.post(f"http://rebind.example:{canary.port}/", body={})
        egress.close()
        second = refused_code(egress, f"http://rebind.example:{canary.port}/")

    assert (first.status, public.connections) == (200, 1)
    assert second == (Misconfigured, "egress_refused")
    assert canary.connections == 0


def test_a_connection_that_ends_elsewhere_is_dropped(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies between (a redirecting firewall, a patched resolver): the peer must be who was checked."""
    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda _, timeout: connect(("127.0.0.1", canary.port), timeout))
    egress = Egress(policy(), resolve=lambda host, port: ["127.0.0.2"])

    assert refused_code(egress, f"http://hook.example:{canary.port}/") == (Misconfigured, "egress_refused")
    assert canary.received == []


def test_the_name_is_looked_up_once_per_connection(canary: Canary) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    egress = Egress(policy(total_seconds=10.0), resolve=resolve)
    for _ in range(3):
        egress.post(f"http://hook.example:{canary.port}/", body={})
    egress.close()

    assert asked == ["hook.example"]
    assert canary.connections == 1


@pytest.mark.parametrize("host", [*NOT_PUBLIC[:20], "localhost.", "2130706433", "::1", "fe80::1%lo"])
def test_a_mail_server_is_checked_like_a_url(host: str, canary: Canary) -> None:
    with pytest.raises(Misconfigured) as caught:
        strict(["127.0.0.1"]).open_socket(host, 587)

    assert caught.value.code == "egress_refused"
    assert canary.connections == 0


def test_a_mail_server_on_a_web_port_is_refused() -> None:
    with pytest.raises(Misconfigured, match="only 25, 465, 587, 2525"):
        strict(["8.8.8.8"]).open_socket("mail.example", 443)


def test_proxies_from_the_environment_are_ignored(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    with Canary() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url)
        egress = Egress(policy(total_seconds=10.0))
        egress.post(canary.url, body={})
        egress.close()

        assert (proxy.connections, canary.connections) == (0, 1)
