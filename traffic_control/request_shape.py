"""What no request of ours looks like, told before Django or a view takes its headers at their word."""

from collections.abc import Mapping
from typing import Any, NamedTuple

UTF8 = frozenset({"utf-8", "utf8"})


class Fault(NamedTuple):
    status: int
    code: str
    detail: str


COMPRESSED = Fault(415, "unsupported_media_type", "The body is compressed. Send it as it is, without Content-Encoding.")
CHARSET = Fault(415, "unsupported_media_type", "The body must be in UTF-8, and the charset say so if it says anything.")
NUL = Fault(400, "bad_request", "There is a NUL character in the path or the query, which nothing here has in it.")


def fault_in(meta: Mapping[str, Any]) -> Fault | None:
    """Costs less than a microsecond. Python has codecs that are no text encodings at all: Django would try them."""
    if meta.get("HTTP_CONTENT_ENCODING", "identity") not in ("identity", ""):
        return COMPRESSED
    media_type = meta.get("CONTENT_TYPE", "")
    if "=" in media_type and charset_of(media_type) not in UTF8:
        return CHARSET
    return NUL if "%00" in meta.get("QUERY_STRING", "") or "\x00" in meta.get("PATH_INFO", "") else None


def charset_of(media_type: str) -> str:
    """In lower case; UTF-8 when it is not said."""
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower()
    return "utf-8"
