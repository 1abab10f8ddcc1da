"""Templates to text: compiled once per process, escaped where they are HTML."""

from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import islice
from typing import Any, NamedTuple

from jinja2 import Template, meta
from jinja2.exceptions import TemplateSyntaxError

from notification_processor.renderer.faults import Fault, explained, line_of
from notification_processor.renderer.sandbox import BUDGET, MAX_SOURCE, LoopBudget, TemplateSandbox
from notification_processor.renderer.wire import MAX_TEXT, PARTS

COMPILED = 500  # parts of templates kept
PIECES = 32  # of output, between two looks at its length


class Texts(NamedTuple):
    """The source of a template version, or what became of it."""

    subject: str
    body: str
    html: str


class TooLong(ValueError):
    """The output passes MAX_TEXT."""


class Unwritable(ValueError):
    """The output has what neither a database nor a message can hold: NUL, or half of a surrogate pair."""


def rendered(source: Texts, context: Mapping[str, Any]) -> Texts:
    """Raises Fault, which names the part, the line and the variable."""
    subject, body, html = (_text(part, text, context) for part, text in zip(PARTS, source, strict=True))
    return Texts(subject, body, html)


def names_in(source: Texts) -> list[str]:
    """Compiles every part: the top-level names that they read. Raises Fault for the first that does not compile."""
    names: set[str] = set()
    for part, text in zip(PARTS, source, strict=True):
        compiled(part, text)
        names |= meta.find_undeclared_variables(environment(part).parse(text))
    return sorted(names)


@lru_cache(maxsize=COMPILED)
def compiled(part: str, text: str) -> Template:
    """Raises Fault."""
    if len(text) > MAX_SOURCE:
        raise Fault(f"longer than {MAX_SOURCE:,} characters", part=part)
    try:
        return environment(part).from_string(text)
    except TemplateSyntaxError as exc:
        raise Fault(explained(exc, {}), part=part, line=exc.lineno, column=1) from exc
    except Exception as exc:  # Python's own compiler has limits, too
        raise Fault(explained(exc, {}), part=part) from exc


@cache
def environment(part: str) -> TemplateSandbox:
    """Only HTML is escaped here; chat adapters neutralise what their provider would take for markup."""
    return TemplateSandbox(autoescape=part == "html")


def _text(part: str, text: str, context: Mapping[str, Any]) -> str:
    if not text:
        return ""
    template = compiled(part, text)
    try:
        return written(template, context, LoopBudget())
    except TooLong as exc:
        raise Fault(f"the text is longer than {MAX_TEXT:,} characters", part=part) from exc
    except Exception as exc:
        raise Fault(explained(exc, context), part=part, line=line_of(exc.__traceback__)) from exc


def written(template: Template, context: Mapping[str, Any], budget: LoopBudget) -> str:
    """As `template.render(context)`, with one copy of the context and a cap. Raises TooLong, or anything."""
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
    text = "".join(pieces)
    if "\0" in text or not (text.isascii() or is_encodable(text)):
        raise Unwritable("the text has a character that cannot be sent: NUL, or half of a surrogate pair")
    return text


def is_encodable(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False
