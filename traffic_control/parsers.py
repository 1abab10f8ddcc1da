"""JSON at the door: strict UTF-8, bounded depth, nothing that PostgreSQL cannot store."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from traffic_control.errors import Problem


class StrictJSONParser(BaseParser):
    """`application/json` in UTF-8 (RFC 8259). Anything else is a 400 that says where, or a 415."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        charset = _charset(media_type or "")
        if charset not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type or "", detail=f'charset "{charset}" is not supported, send UTF-8.')
        return parse_json(stream.read())


def parse_json(raw: bytes) -> Any:
    """Raises Problem `malformed_json` with line and column, or `json_too_deep`."""
    if not raw.strip():
        raise Problem("malformed_json", "The body is empty; a JSON object was expected.")
    if depth_of(raw) > settings.MAX_JSON_DEPTH:
        raise Problem("json_too_deep", f"The JSON is nested deeper than {settings.MAX_JSON_DEPTH} levels.")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise Problem(
            "malformed_json", f"The body is not valid JSON: {exc.msg} (line {exc.lineno}, column {exc.colno})."
        ) from exc
    if b"\\u0000" in raw and _has_nul(value):
        raise Problem("malformed_json", "The JSON has a NUL character (\\u0000), which cannot be stored.")
    return value


def depth_of(raw: bytes) -> int:
    """The deepest nesting of brackets outside strings: one pass over bytes, before any parser recurses."""
    if raw.count(b"[") + raw.count(b"{") <= settings.MAX_JSON_DEPTH:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in raw:
        if in_string:
            in_string = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            deepest = max(deepest, depth)
            if deepest > settings.MAX_JSON_DEPTH:
                break
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return deepest


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(k) or _has_nul(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _charset(media_type: str) -> str:
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"
