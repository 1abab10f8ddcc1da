"""The last six characters of an API key: by them scanners for leaked secrets tell ours from what only looks like it."""

import zlib

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 6


def checksum_of(text: str) -> str:
    """CRC-32 in base 62. No secret: it proves nothing but that somebody copied all of it."""
    number, digits = zlib.crc32(text.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits.rjust(LENGTH, DIGITS[0])


def is_whole(raw: str) -> bool:
    return checksum_of(raw[:-LENGTH]) == raw[-LENGTH:]
