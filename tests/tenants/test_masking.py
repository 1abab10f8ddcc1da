"""Masked addresses: recognisable, useless, and never valid again."""

import pytest

from tenants import masking, syntax
from tenants.masking import mask


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("", ""),
        ("j@example.com", "j•••@example.com"),
        ("john.smith@example.com", "j•••@example.com"),
        ("+48123456789", "•••6789"),
        ("12345", "•••"),
        ("@channel_name", "•••name"),
        ("https://hooks.example.com/services/T0/B0/abcdWXYZ", "https://hooks.example.com/•••WXYZ"),
        ("HTTPS://hooks.example.com?token=secretWXYZ", "HTTPS://hooks.example.com/•••WXYZ"),
        ("https://example.com/", "https://example.com/•••"),
    ],
)
def test_mask_shows_just_enough(address, masked):
    assert mask(address) == masked


@pytest.mark.parametrize(
    ("check", "address"),
    [
        (syntax.email, "john@example.com"),
        (syntax.web_url, "https://hooks.example.com/services/abcdWXYZ"),
        (syntax.phone, "+48123456789"),
        (syntax.telegram_chat, "123456789"),
        (syntax.telegram_chat, "@channel_name"),
    ],
)
def test_what_is_masked_cannot_be_stored_as_an_address(check, address):
    assert check(address) == address
    with pytest.raises(ValueError, match="is not"):
        check(mask(address))


@pytest.mark.parametrize(
    ("said", "about", "scrubbed"),
    [
        ("550 5.1.1 <Ann@Example.com>: unknown", "ann@example.com", "550 5.1.1 <a•••@example.com>: unknown"),
        ("nobody, try bob@example.com.", "ann@example.com", "nobody, try b•••@example.com."),
        ("number 48123456789 is off", "+48123456789", "number •••6789 is off"),
        ("chat 12345 not found", "12345", "chat ••• not found"),
        ("see https://hooks.example.com/a/secretWXYZ", "", "see https://hooks.example.com/•••WXYZ"),
        ("250 2.0.0 OK  1700000000 x-12.345 - gsmtp", "", "250 2.0.0 OK  •••0000 x-12.345 - gsmtp"),
        ("timeout after 10 s", "", "timeout after 10 s"),
        ("", "ann@example.com", ""),
    ],
)
def test_what_was_said_names_no_address(said, about, scrubbed):
    assert masking.scrubbed(said, about=about) == scrubbed


def test_masking_twice_is_masking_once():
    once = mask("+48123456789")

    assert mask(once) == once
