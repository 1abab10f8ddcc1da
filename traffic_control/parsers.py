"""JSON at the door: strict UTF-8, bounded depth and size, each name once, nothing that PostgreSQL cannot store."""

from collections.abc import Mapping
from re import compile as pattern
from typing import IO, Any, NamedTuple

import orjson
from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from traffic_control.errors import Problem
from traffic_control.request_shape import UTF8, charset_of

MAX_CONTAINERS = 100_000  # an empty list is two bytes, and sixty in memory
STRING = pattern(rb'"[^"\\]*(?:\\.[^"\\]*)*"')  # of valid JSON only: in a string without end it would search for long
LONG_INTEGER = pattern(rb"(?<![\d.eE+-])-?\d{19,}(?![\d.eE])")
TWO_TO_63 = 2.0**63


class StrictJSONParser(BaseParser):
    """`application/json` in UTF-8 (RFC 8259). Anything else is a 400 that says where, or a 415."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        if "*" in (media_type or ""):  # a pattern, which Django REST framework takes for a match
            raise UnsupportedMediaType(media_type or "")
        charset = charset_of(media_type or "")
        if charset not in UTF8:
            raise UnsupportedMediaType(media_type or "", detail=f'charset "{charset}" is not supported, send UTF-8.')
        return parse_json(stream.read())


def parse_json(raw: bytes) -> Any:
    """Raises Problem `malformed_json` with line and column, `json_too_deep`, or `payload_too_large`."""
    if not raw.strip():
        raise Problem("malformed_json", "The body is empty; a JSON object was expected.")
    containers = raw.count(b"[") + raw.count(b"{")
    if containers > MAX_CONTAINERS:
        most = f"The JSON has more than {MAX_CONTAINERS:,} objects and lists. Split it."
        raise Problem("payload_too_large", most, status=413)
    value = _read(raw)
    shape = shape_of(value)
    if containers > settings.MAX_JSON_DEPTH and shape.depth > settings.MAX_JSON_DEPTH:
        raise too_deep()
    if shape.names != raw.count(b":") and shape.names != STRING.sub(b"", raw).count(b":"):
        raise Problem("malformed_json", "An object in the JSON has the same name twice.")
    if shape.has_huge_number and has_huge_integer(STRING.sub(b"", raw)):
        raise Problem("malformed_json", "An integer in the JSON does not fit 64 bits. Send it as a string.")
    if b"\\u0000" in raw and _has_nul(value):
        raise Problem("malformed_json", "The JSON has a NUL character (\\u0000), which cannot be stored.")
    return value


def _read(raw: bytes) -> Any:
    """orjson takes strict UTF-8 and finite numbers only, and no more than 1,024 levels."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        if "depth" in exc.msg:
            raise too_deep() from exc
        where = f"(line {exc.lineno}, column {exc.colno})"
        raise Problem("malformed_json", f"The body is not valid JSON: {exc.msg} {where}.") from exc


def too_deep() -> Problem:
    return Problem("json_too_deep", f"The JSON is nested deeper than {settings.MAX_JSON_DEPTH} levels.")


class Shape(NamedTuple):
    """`names` of all objects together; `has_huge_number`: one beyond 64 bits, which may have been an integer."""

    depth: int
    names: int
    has_huge_number: bool


def shape_of(value: Any) -> Shape:
    """Level by level, as nesting may be deep."""
    depth = names = 0
    has_huge_number = False
    level = [value]
    while level:
        below: list[Any] = []
        is_nested = False
        for one in level:
            kind = type(one)
            if kind is dict:
                is_nested = True
                names += len(one)
                below += one.values()
            elif kind is list:
                is_nested = True
                below += one
            elif kind is float and not -TWO_TO_63 < one < TWO_TO_63:
                has_huge_number = True
        depth += is_nested
        level = below
    return Shape(depth, names, has_huge_number)


def has_huge_integer(without_strings: bytes) -> bool:
    """Whether there is one that orjson has made a number of another value from."""
    found = LONG_INTEGER.findall(without_strings)
    return any(len(digits) > 20 or not -(2**63) <= int(digits) < 2**64 for digits in found)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(k) or _has_nul(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
