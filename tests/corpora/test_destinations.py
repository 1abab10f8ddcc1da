"""No door of the product leads anywhere but to the public internet: a canary on loopback sees not one connection."""

from itertools import cycle
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.corpora.conftest import Canary
from tests.corpora.destinations import DESTINATIONS, HOSTS, LOOKING_LIKE_LOOPBACK

INTEGRATIONS = "/v1/integrations/"
HOOKS = ("webhook", "slack", "teams")
ENCRYPTION: tuple[dict[str, bool], ...] = ({}, {"use_tls": True}, {"use_ssl": True})
REFUSED = {"egress_refused", "invalid_address", "malformed_json", "refused in the form"}


def outcome_of(api: APIClient, channel: str, config: dict[str, Any], **test: str) -> str:
    """With which code an integration is refused, or its test; "ok" when a message went out."""
    made = api.post(INTEGRATIONS, {"channel": channel, "config": config, "is_default": False})
    return "refused in the form" if made.status_code == 400 else tried_out(api, made.json()["id"], **test)


def tried_out(api: APIClient, integration: str, **test: str) -> str:
    answer = api.post(f"{INTEGRATIONS}{integration}/test/", test)
    told = answer.json()
    if answer.status_code == 400:
        return str(told["errors"][0]["code"] if "errors" in told else told["code"])
    return "ok" if told["ok"] else str(told["error"]["code"])


def test_corpus_is_large() -> None:
    every = [url for urls in DESTINATIONS.values() for url in urls]

    assert len({*every}) == len(every) >= 240


@pytest.mark.parametrize("kind", DESTINATIONS)
def test_hook_of_an_integration_or_a_message_is_not_reached(kind: str, api: APIClient, canary: Canary) -> None:
    own = api.post(INTEGRATIONS, {"channel": "webhook", "is_default": False}).json()["id"]

    outcomes = {}
    for channel, url in zip(cycle(HOOKS), DESTINATIONS[kind], strict=False):
        given = url.replace("{port}", str(canary.port))
        outcomes[url] = {outcome_of(api, channel, {"url": given}), tried_out(api, own, to=given)}

    assert {url: codes for url, codes in outcomes.items() if codes - REFUSED} == {}
    assert (canary.tried, canary.connections) == ([], 0)


@pytest.mark.parametrize("url", LOOKING_LIKE_LOOPBACK)
def test_url_has_one_reading_only(url: str, api: APIClient, canary: Canary) -> None:
    code = outcome_of(api, "webhook", {"url": url.replace("{port}", str(canary.port))})

    assert (code, canary.tried, canary.connections) == ("connect_failed", [("8.8.8.8", 80)], 0)


@pytest.mark.parametrize("kind", HOSTS)
def test_mail_server_is_not_reached(kind: str, api: APIClient, canary: Canary) -> None:
    outcomes = {}
    for encryption, host in zip(cycle(ENCRYPTION), HOSTS[kind], strict=False):
        for given in {host, host.strip("[]")}:
            config = {"host": given, "port": canary.port} | encryption
            outcomes[given] = outcome_of(api, "email", config, to="ada@example.com")

    assert {host: code for host, code in outcomes.items() if code not in REFUSED} == {}
    assert (canary.tried, canary.connections) == ([], 0)
