"""Templates to text: compiled once per version and process, escaped where they are HTML."""

import difflib
import hashlib
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from jinja2 import Template, meta
from jinja2.exceptions import TemplateError, TemplateSyntaxError, UndefinedError

from notification_processor.sandbox import BUDGET, MAX_SOURCE, MAX_TEXT, LoopBudget, TemplateSandbox

MAX_SUBJECT = 998  # characters: one line of RFC 5322
COMPILED = 2_000  # templates kept per process
PIECES = 32  # of output, between two looks at its length
FAULTS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Source:
    """The words of one template version. `key` names them for ever (versions never change).

    `is_starter`: words that nobody of the tenant has chosen.
    """

    key: str
    channel: str
    subject: str = ""
    body: str = ""
    html: str = ""
    name: str = ""
    number: int | None = None
    is_starter: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    body: str
    html: str


class TemplateFault(Exception):
    """A template that does not compile or render. `line` counts from 1; `part` is subject, body or html."""

    def __init__(self, detail: str, *, part: str, line: int | None = None, column: int | None = None) -> None:
        where = f"{part}, line {line}" if line else part
        super().__init__(f"{where}: {detail}")
        self.detail, self.part, self.line, self.column = detail, part, line, column


class TooLong(ValueError):
    """The output passes MAX_TEXT."""


def render(source: Source, context: dict[str, Any]) -> Rendered:
    """Raises TemplateFault, which names the part, the line and the variable."""
    subject = _render_part(source, "subject", context) if source.subject else ""
    return Rendered(
        subject=" ".join(subject.split())[:MAX_SUBJECT],
        body=_render_part(source, "body", context) if source.body else "",
        html=_render_part(source, "html", context) if source.html else "",
    )


def check(source: Source) -> None:
    """Compiles every part. Raises TemplateFault for the first that does not."""
    for part in ("subject", "body", "html"):
        if len(getattr(source, part)) > MAX_SOURCE:
            raise TemplateFault(f"longer than {MAX_SOURCE:,} characters", part=part)
        _compiled(source, part)


def variables_of(source: Source) -> set[str]:
    """Top-level names that the template reads. Those it guards with `default` or `is defined` are among them."""
    names: set[str] = set()
    for part in ("subject", "body", "html"):
        if text := getattr(source, part):
            names |= meta.find_undeclared_variables(environment(part).parse(text))
    return names


def inline_source(*, channel: str, subject: str, body: str, html: str) -> Source:
    """Words that came with the request, keyed by themselves."""
    digest = hashlib.blake2b("\x00".join((subject, body, html)).encode(), digest_size=16).hexdigest()
    return Source(f"inline:{digest}", channel, subject, body, html)


def _render_part(source: Source, part: str, context: dict[str, Any]) -> str:
    template = _compiled(source, part)
    try:
        return written(template, context, LoopBudget())
    except TooLong as exc:
        raise TemplateFault(f"the text is longer than {MAX_TEXT:,} characters", part=part) from exc
    except UndefinedError as exc:
        raise TemplateFault(_undefined(exc, context), part=part, line=_line_of(exc)) from exc
    except FAULTS as exc:
        raise TemplateFault(_plain(exc), part=part, line=_line_of(exc)) from exc


def written(template: Template, context: Mapping[str, Any], budget: LoopBudget) -> str:
    """As `template.render(context)`, with one copy of the context and a cap. Raises TooLong, or one of FAULTS."""
    names = {**template.environment.globals, **context, BUDGET: budget}
    pieces: list[str] = []
    length = 0
    try:
        output = template.root_render_func(template.new_context(names, shared=True))
        while some := list(islice(output, PIECES)):
            pieces += some
            length += sum(map(len, some))
            if length > MAX_TEXT:
                raise TooLong
    except TooLong:
        raise
    except Exception:
        template.environment.handle_exception()  # raises it again, with the template's lines in the traceback
    return "".join(pieces)


def _compiled(source: Source, part: str) -> Template:
    return _compile(source.key, part, getattr(source, part))


@lru_cache(maxsize=COMPILED)
def _compile(key: str, part: str, text: str) -> Template:
    try:
        return environment(part).from_string(text)
    except TemplateSyntaxError as exc:
        raise TemplateFault(exc.message or "syntax error", part=part, line=exc.lineno, column=1) from exc
    except FAULTS as exc:
        raise TemplateFault(_plain(exc), part=part) from exc


@cache
def environment(part: str) -> TemplateSandbox:
    """Only HTML is escaped here; chat adapters neutralise what their provider would take for markup."""
    return TemplateSandbox(autoescape=part == "html")


def _undefined(exc: UndefinedError, context: dict[str, Any]) -> str:
    """Names the variable, what was provided, and the nearest spelling."""
    found = re.search(r"'([^']+)' is undefined|has no (?:attribute|element) '?([^']+)", exc.message or "")
    name = (found.group(1) or found.group(2)) if found else "a value"
    depth = 1 if found and found.group(1) else 4
    known = sorted(_keys_in(context, depth) - {name})
    meant = difflib.get_close_matches(name, known, n=1)
    hint = f' Did you mean "{meant[0]}"?' if meant else ""
    return f'the variable "{name}" is missing.{hint} Provided: {", ".join(known[:20]) or "nothing"}.'


def _keys_in(value: Any, depth: int) -> set[str]:
    if not isinstance(value, dict) or depth == 0:
        return set()
    own = {key for key in value if isinstance(key, str) and not key.startswith("_")}
    return own.union(*(_keys_in(inner, depth - 1) for inner in value.values()))


def _plain(exc: BaseException) -> str:
    if isinstance(exc, RecursionError):
        return "the template is nested too deeply"
    if isinstance(exc, MemoryError):
        return "the template needs too much memory"
    return str(exc) or type(exc).__name__


def _line_of(exc: BaseException) -> int | None:
    lines = [f.lineno for f in traceback.extract_tb(exc.__traceback__) if f.filename == "<template>"]
    return lines[-1] if lines else None
