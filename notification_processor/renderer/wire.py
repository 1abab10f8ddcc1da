"""What goes through the pipes between a process and its renderer: a length, then JSON.

A question: {"sources": [[subject, body, html]], "contexts": [{…}], "jobs": [[what, source, context, customer]]}.
The answer: one [microseconds, kind, value] for each of the first jobs, as many as fit into one turn.
"""

import json
import struct
from typing import Any

import orjson

HEADER = struct.Struct(">I")
MAX_FRAME = 16 * 1024 * 1024  # bytes
PARTS = ("subject", "body", "html")

CHECK = "check"  # compiles all parts; answers DONE with the names it reads
OUTLINE = "outline"  # answers DONE with words per part, or None when the template is more than words and names
CUT = "cut"  # the same with the context filled in: what is left are names of the customer
RENDER = "render"  # answers DONE with the text per part
EACH = "each"  # the same, for one of many customers of this context

DONE, FAULT = "done", "fault"  # a FAULT is [detail, part, line, column]


def encoded(value: Any) -> bytes:
    """JSON. Slower where orjson will not: integers beyond 64 bits, lone surrogates."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def decoded(document: bytes) -> Any:
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return json.loads(document)
