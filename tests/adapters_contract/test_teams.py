"""The Teams channel against a strict peer: card and faults."""

import json
from collections.abc import Callable

import pytest

from delivery_gateway.channels.teams import MAX_BYTES, SPEC, Teams, payload
from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Message,
    Misconfigured,
    Throttled,
    Transient,
)
from delivery_gateway.egress import Egress
from tests.peers.teams import TeamsPeer

Build = Callable[..., Message]


def test_the_payload_is_that_of_the_contract(teams_peer: TeamsPeer, egress: Egress, message: Build) -> None:
    receipt = Teams(egress).send(message(teams_peer.url, "teams", body="Thank you, Ada.\nSee you."))

    (request,) = teams_peer.received
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.json == {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        {
                            "type": "TextBlock",
                            "text": "Order 7 created",
                            "weight": "Bolder",
                            "size": "Large",
                            "wrap": True,
                        },
                        {"type": "TextBlock", "text": "Thank you, Ada.\n\nSee you.", "wrap": True},
                    ],
                    "msteams": {"width": "full"},
                },
            }
        ],
    }
    assert receipt.http_status == 202


@pytest.mark.parametrize(
    ("fault", "expected", "code"),
    [
        ("400", ContentRejected, "http_400"),
        ("401", Misconfigured, "http_401"),
        ("403", Misconfigured, "http_403"),
        ("404", Misconfigured, "http_404"),
        ("413", ContentRejected, "http_413"),
        ("429:7", Throttled, "http_429"),
        ("500", Transient, "http_500"),
        ("502", Transient, "http_502"),
        ("redirect:https://elsewhere.example/", Misconfigured, "redirect"),
        ("reset", Ambiguous, "connection_lost"),
        ("hang", Ambiguous, "timeout"),
    ],
)
def test_each_fault_has_its_class(
    fault: str, expected: type[DeliveryError], code: str, teams_peer: TeamsPeer, hasty: Egress, message: Build
) -> None:
    teams_peer.script(fault)

    with pytest.raises(DeliveryError) as caught:
        Teams(hasty).send(message(teams_peer.url, "teams"))

    assert (type(caught.value), caught.value.code) == (expected, code)
    assert caught.value.retry_after == (7.0 if expected is Throttled else None)
    assert "sig=" not in caught.value.detail


@pytest.mark.parametrize("unit", ["b", "ü", "🙂", '"', "\n", "line\n", "\x01"])
def test_a_card_of_any_text_fits(unit: str, teams_peer: TeamsPeer, egress: Egress, message: Build) -> None:
    Teams(egress).send(message(teams_peer.url, "teams", subject=unit * 1_000 + "s", body="b" + unit * 50_000))

    assert len(teams_peer.received[0].body) <= MAX_BYTES


@pytest.mark.parametrize(
    "text", ['"}], "actions": [{"type": "Action.OpenUrl"}]', "\\", "a\u2028</script>", "<at>All</at>"]
)
def test_no_text_breaks_out_of_the_card(text: str, message: Build) -> None:
    made = json.loads(json.dumps(payload(message("https://flow", subject=text, body=text))))

    card = made["attachments"][0]["content"]
    assert set(card) == {"$schema", "type", "version", "body", "msteams"}
    assert [block["text"] for block in card["body"]] == [text, text]
    assert card["msteams"] == {"width": "full"}  # no entities: an <at> without one is plain text


@pytest.mark.parametrize("host", ["outlook.webhook.office.com", "acme.webhook.office.com", "webhook.office.com"])
def test_a_retired_connector_is_refused_with_the_way_out(host: str, egress: Egress, message: Build) -> None:
    url = f"https://{host}/webhookb2/x"

    with pytest.raises(ValueError, match=r"retired.*When a Teams webhook request is received"):
        SPEC.validate_address(url)
    with pytest.raises(Misconfigured) as caught:
        Teams(egress).send(message(url, "teams"))
    assert caught.value.code == "invalid_address"


def test_the_whole_url_is_kept() -> None:
    url = "https://x.environment.api.powerplatform.com:443/powerautomate/invoke?api-version=1&sp=%2Ftriggers&sig=a-b_c"

    assert SPEC.validate_address(url) == url
