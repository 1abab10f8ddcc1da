"""What a template did wrong, in words for its author: the line and the variable, nothing of our insides."""

import difflib
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from jinja2.exceptions import UndefinedError

LONGEST = 500  # characters
_OURS = re.compile(r"\b(?:[\w.]+\.)?(?:do_|bounded_|sync_do_|to_)?(\w+)\(\) ")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Fault(Exception):
    """A template that does not compile or render. `line` counts from 1; `part` is subject, body or html."""

    def __init__(self, detail: str, *, part: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(detail)
        self.part, self.line, self.column = part, line, column
        self.detail = detail[:LONGEST].encode(errors="replace").decode().replace("\0", "?")


def explained(exc: BaseException, context: Mapping[str, Any]) -> str:
    if isinstance(exc, UndefinedError):
        return _undefined(exc, context)
    if isinstance(exc, RecursionError):
        return "the template is nested too deeply"
    if isinstance(exc, MemoryError):
        return "the template needs too much memory"
    if isinstance(exc, OSError | ImportError):
        return "the template asks for something that is not there"
    words = str(exc)[:LONGEST] or type(exc).__name__
    return _ADDRESS.sub("", _OURS.sub(r"\1() ", words))


def line_of(trace: TracebackType | None) -> int | None:
    """The last line of the template that was being worked on."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _undefined(exc: UndefinedError, context: Mapping[str, Any]) -> str:
    """Names the variable, what was provided, and the nearest spelling."""
    found = re.search(r"'([^']{1,200})' is undefined|has no (?:attribute|element) '?([^']{1,200})", exc.message or "")
    name = (found.group(1) or found.group(2)) if found else "a value"
    depth = 1 if found and found.group(1) else 4
    known = sorted(_keys_in(context, depth) - {name})
    meant = difflib.get_close_matches(name, known, n=1)
    hint = f' Did you mean "{meant[0]}"?' if meant else ""
    return f'the variable "{name}" is missing.{hint} Provided: {", ".join(known[:20]) or "nothing"}.'


def _keys_in(value: Any, depth: int) -> set[str]:
    if not isinstance(value, Mapping) or depth == 0:
        return set()
    own = {key for key in value if isinstance(key, str) and not key.startswith("_")}
    return own.union(*(_keys_in(inner, depth - 1) for inner in value.values()))
