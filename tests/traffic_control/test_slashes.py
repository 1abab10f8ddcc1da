"""Addresses that no view may see."""

import pytest


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "/v1/workflows/?event_type=%00",
        "/v1/templates/?channel=a%00b",
        "/v1/preferences/a%00b/",
        "/api/v1/customers/%00/",
    ],
)
def test_address_with_a_nul_character_is_refused(client, address):
    answer = client.get(address)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert "NUL" in answer.json()["detail"]
