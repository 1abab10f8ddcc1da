import json
import shlex

import pytest

from dev.banner import Demo, banner, event_curl

DEMO = Demo(
    tenant="Demo", api_key="sk_live_a", test_api_key="sk_test_b", admin_username="admin", admin_password="a password"
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def test_banner_has_addresses_logins_and_keys() -> None:
    lines = banner(url="http://127.0.0.1:8001", demo=DEMO, catcher_url="http://127.0.0.1:9").splitlines()

    cells = {line[2:12].strip(): line[12:] for line in lines}
    assert cells["API"] == "http://127.0.0.1:8001"
    assert cells["Admin"] == "http://127.0.0.1:8001/admin/   admin / a password"
    assert cells["Live key"].startswith("sk_live_a")
    assert cells["Test key"].startswith("sk_test_b")


def test_event_curl_is_one_line_a_shell_understands() -> None:
    words = shlex.split(event_curl("http://127.0.0.1:8001", "sk_test_b"))

    assert words[:5] == ["curl", "-sS", "-X", "POST", "http://127.0.0.1:8001/api/events/"]
    assert words[6] == "X-API-KEY: sk_test_b"
    assert json.loads(words[-1])["recipients"][0]["email"] == "ann@example.com"
