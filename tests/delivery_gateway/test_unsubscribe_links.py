"""Tokens of unsubscribe links, and which mail gets one."""

import base64
import time
import uuid

import pytest

from delivery_gateway import checks
from delivery_gateway.models import NotificationLog
from delivery_gateway.suppressions import Suppressions, address_hash
from delivery_gateway.unsubscribe_links import LIFETIME_DAYS, Unsubscription, link_for, read, token_for
from traffic_control.signed_links import Expired, Forged

TENANT, OTHER, CUSTOMER = (uuid.UUID(f"019aa4b1-7c00-7000-8000-00000000000{n}") for n in range(3))


def row(**fields: object) -> NotificationLog:
    return NotificationLog(**{"tenant_id": TENANT, "channel": "email", "to": "ann@example.com"} | fields)


def test_token_of_a_customer_says_who_and_what():
    token = token_for(TENANT, CUSTOMER, "ann@example.com", "marketing")

    assert read(token) == Unsubscription(TENANT, "marketing", customer_id=CUSTOMER)
    assert len(token) == 75


def test_token_of_an_address_has_its_hash_only():
    token = token_for(TENANT, None, "Ann@example.com", "Später")

    assert read(token) == Unsubscription(TENANT, "Später", address_hash=address_hash(TENANT, "ann@example.com"))
    assert b"ann" not in base64.urlsafe_b64decode(token + "==").lower()


def test_longest_category_still_fits_a_header_line():
    assert len(token_for(TENANT, None, "a@example.com", "🦉" * 64)) < 512


@pytest.mark.parametrize("place", range(0, 75, 4))
def test_token_with_any_byte_altered_is_forged(place):
    token = token_for(TENANT, CUSTOMER, "", "marketing")
    altered = token[:place] + ("B" if token[place] != "B" else "C") + token[place + 1 :]

    with pytest.raises(Forged):
        read(altered)


@pytest.mark.parametrize("token", ["", "A", "AAAA", "=" * 40, "é" * 75, "A" * 600, "../../etc/passwd", "%00", "a b"])
def test_nonsense_is_forged(token):
    with pytest.raises(Forged):
        read(token)


def test_token_spelt_another_way_is_forged():
    token = token_for(TENANT, CUSTOMER, "", "marketing")

    for spelt in (token + "=", token[:5] + "!" + token[5:], token + "\n"):
        with pytest.raises(Forged):
            read(spelt)


def test_token_with_the_tenant_of_another_is_forged():
    raw = base64.urlsafe_b64decode(token_for(TENANT, CUSTOMER, "", "news") + "==")
    spliced = raw.replace(TENANT.bytes, OTHER.bytes)

    with pytest.raises(Forged):
        read(base64.urlsafe_b64encode(spliced).rstrip(b"=").decode())


def test_token_made_with_another_secret_is_forged(settings):
    token = token_for(TENANT, CUSTOMER, "", "")
    settings.SECRET_KEY = "another"

    with pytest.raises(Forged):
        read(token)


def test_token_works_for_two_years_and_no_longer():
    now = time.time()
    token = token_for(TENANT, CUSTOMER, "", "", now=now)

    assert read(token, now=now + LIFETIME_DAYS * 86_400).customer_id == CUSTOMER
    with pytest.raises(Expired):
        read(token, now=now + (LIFETIME_DAYS + 1) * 86_400)


@pytest.mark.parametrize(
    ("fields", "url", "has_link"),
    [
        ({}, "https://notify.example.com", True),
        ({}, "http://127.0.0.1:8000", True),
        ({}, "", False),
        ({}, "https://notify.example.com/\r\nBcc: x", False),
        ({}, "https://nötify.example.com", False),
        ({"is_critical": True}, "https://notify.example.com", False),
        ({"channel": "slack"}, "https://notify.example.com", False),
        ({"mode": "test"}, "https://notify.example.com", False),
    ],
)
def test_link_is_in_mail_that_is_not_critical(settings, fields, url, has_link):
    settings.PUBLIC_URL = url

    assert link_for(row(**fields)).startswith(f"{url}/u/" if has_link else "") is True
    assert bool(link_for(row(**fields))) is has_link


@pytest.mark.parametrize(
    ("scope", "category", "is_critical", "is_kept_back"),
    [
        ("", "", False, True),
        ("", "news", True, True),
        ("*", "", False, True),
        ("*", "news", False, True),
        ("*", "news", True, False),
        ("news", "news", False, True),
        ("news", "news", True, False),
        ("news", "other", False, False),
        ("news", "", False, False),
    ],
)
def test_suppression_reaches_as_far_as_its_scope(scope, category, is_critical, is_kept_back):
    address = (TENANT, "email", "ann@example.com")
    known = Suppressions({address: {scope: "why"}})

    assert known.against(address, category=category, is_critical=is_critical) == ("why" if is_kept_back else "")
    assert known.against((OTHER, "email", "ann@example.com"), category=category, is_critical=is_critical) == ""


@pytest.mark.parametrize(
    ("url", "debug", "found"),
    [
        ("https://notify.example.com", False, []),
        ("https://notify.example.com:8443", False, []),
        ("", True, []),
        ("http://127.0.0.1:8000", True, []),
        ("", False, ["delivery.W001"]),
        ("http://notify.example.com", False, ["delivery.W002"]),
        ("https://elsewhere.example.com", False, ["delivery.W003"]),
        ("notify.example.com", False, ["delivery.E001"]),
        ("https://notify.example.com/?a=b", True, ["delivery.E001"]),
    ],
)
def test_public_url_that_mail_cannot_use_is_told(settings, url, debug, found):
    settings.PUBLIC_URL, settings.DEBUG, settings.ALLOWED_HOSTS = url, debug, ["notify.example.com", "127.0.0.1"]

    assert [message.id for message in checks.unsubscribe_links_can_be_made()] == found
