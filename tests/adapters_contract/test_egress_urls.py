"""URLs and host names: what is read from them, and which forms are refused before anybody is asked."""

import pytest

from delivery_gateway.contract import Misconfigured
from delivery_gateway.egress import EgressPolicy
from delivery_gateway.egress.destination import Unreadable, read_host, read_url


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com:70/_",
        "//example.com/",
        "example.com/hook",
        "https:///hook",
        "https://",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://127.0.0.1\\@example.com/",
        "https://example.com\\.evil/",
        "https://exämple.com/",
        "https://127。0。0。1/",
        "https://①②⑦.0.0.1/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: evil",
        "https://example.com\x00.evil/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://[::1/",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        EgressPolicy(allow_http=True).destination(url)

    assert caught.value.code == "egress_refused"


@pytest.mark.parametrize(
    "host", ["example.com", "a.b-c.example", "xn--bcher-kva.example", "mailpit", "my_service", "1a.test"]
)
def test_an_ordinary_name_is_a_name(host: str) -> None:
    assert read_host(host) is None


def test_a_url_is_read_into_its_parts() -> None:
    found = read_url("HTTPS://Hooks.Example.COM:8443/a/b?c=d#e")

    assert (found.scheme, found.host, found.port, found.target) == ("https", "hooks.example.com", 8443, "/a/b?c=d")


def test_a_refused_url_is_never_repeated() -> None:
    with pytest.raises(Unreadable) as caught:
        read_url("https://user:hunter2@example.com/secret")

    assert "hunter2" not in str(caught.value)
    assert "secret" not in str(caught.value)
