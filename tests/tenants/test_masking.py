"""Masked addresses: recognisable, useless, and never valid again."""

import pytest

from tenants import syntax
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
