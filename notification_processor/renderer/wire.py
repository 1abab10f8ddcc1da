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
MAX_TEXT = 256 * 1024  # characters: of an output, and of any value built on the way
PARTS = ("subject", "body", "html")
FILLED_FILTERS = frozenset({"default", "lower", "round", "upper"})  # that an outline may have
MAX_BLOCK_DEPTH = 4  # of conditions and loops within each other, in an outline
MAX_PRECISION = 10

CHECK = "check"  # compiles all parts; answers DONE with the names it reads
OUTLINE = "outline"  # answers DONE with words per part (see `outlines`), or None when the template is more than those
CUT = "cut"  # the same with the context filled in: what is left are names of the customer
RENDER = "render"  # answers DONE with the text per part
EACH = "each"  # the same, for one of many customers of this context
READS = "reads"  # answers DONE with [part, line, whether it does without it, path] for all that it reads

EACH_ITEM = "[]"  # in a path: whichever item of a list
DONE, FAULT = "done", "fault"  # a FAULT is [detail, part, line, column]


def understood(document: bytes) -> Any:
    """An answer. Raises ValueError: whoever has broken out of a template may write anything into the pipe."""
    return orjson.loads(document)


def is_answer(what: str, given: Any) -> bool:
    """Whether `given` is what a renderer in its right mind answers to this job."""
    if type(given) is not list or len(given) != len(("microseconds", "kind", "value")) or type(given[0]) is not int:
        return False
    _, kind, value = given
    if kind == FAULT:
        return _is_fault(value)
    return kind == DONE and SHAPES[what](value)


def _is_fault(value: Any) -> bool:
    if type(value) is not list or len(value) != len(("detail", "part", "line", "column")):
        return False
    detail, part, *place = value
    return type(detail) is str and part in PARTS and all(n is None or type(n) is int for n in place)


def _are_texts(value: Any) -> bool:
    return _are_parts(value) and all(type(t) is str and len(t) <= MAX_TEXT and "\0" not in t for t in value)


def is_argument(name: str, given: list[Any]) -> bool:
    """Whether that is what this one of FILLED_FILTERS takes."""
    if name == "default":
        return len(given) == 1 and type(given[0]) is str
    if name == "round":
        return len(given) <= 1 and all(type(n) is int and abs(n) <= MAX_PRECISION for n in given)
    return not given


def _are_outlines(value: Any) -> bool:
    return value is None or (_are_parts(value) and all(map(_are_words, value)))


def _are_words(value: Any, depth: int = 0) -> bool:
    return type(value) is list and all(
        type(word) is str or _is_path(word) or (type(word) is dict and _is_block(word, depth + 1)) for word in value
    )


def _is_block(block: dict[str, Any], depth: int) -> bool:
    if block.keys() == {"value", "through"}:
        return _is_path(block["value"]) and type(block["through"]) is list and all(map(_is_filter, block["through"]))
    if depth > MAX_BLOCK_DEPTH:
        return False
    if block.keys() == {"if", "then", "else"}:
        return _is_path(block["if"]) and all(_are_words(block[branch], depth) for branch in ("then", "else"))
    is_loop = block.keys() == {"each", "in", "do"} and type(block["each"]) is str
    return is_loop and _is_path(block["in"]) and _are_words(block["do"], depth)


def _is_filter(value: Any) -> bool:
    is_named = type(value) is list and bool(value) and type(value[0]) is str
    return is_named and value[0] in FILLED_FILTERS and is_argument(value[0], value[1:])


def _is_path(value: Any) -> bool:
    return _are_names(value) and bool(value)


def _are_names(value: Any) -> bool:
    return type(value) is list and all(type(name) is str for name in value)


def _are_reads(value: Any) -> bool:
    return type(value) is list and all(map(_is_read, value))


def _is_read(value: Any) -> bool:
    if type(value) is not list or len(value) != len(("part", "line", "is_optional", "path")):
        return False
    part, line, is_optional, path = value
    return part in PARTS and type(line) is int and type(is_optional) is bool and bool(path) and _are_names(path)


def _are_parts(value: Any) -> bool:
    return type(value) is list and len(value) == len(PARTS)


SHAPES = {
    RENDER: _are_texts,
    EACH: _are_texts,
    OUTLINE: _are_outlines,
    CUT: _are_outlines,
    CHECK: _are_names,
    READS: _are_reads,
}


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
