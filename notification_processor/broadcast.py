"""One text for many customers: what does not speak of the customer is rendered once, and the gaps are filled for each.

A template is cut along its top level into what is the same for everybody, gaps that hold one word about the customer
(`{{ customer.name }}`), and live pieces that do anything else with the customer. The result is what `rendering.render`
makes of the whole; where that is not certain, or something fails, `render` is asked itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, nodes
from markupsafe import escape

from notification_processor.rendering import (
    COMPILED,
    FAULTS,
    MAX_SUBJECT,
    Rendered,
    Source,
    TemplateFault,
    environment,
    render,
    written,
)
from notification_processor.sandbox import MAX_TEXT, LoopBudget, walk

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a text about the customer stands: `("name",)`, `("attributes", "city")`."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    template: Template


@dataclass(frozen=True, slots=True)
class Live:
    template: Template


Piece = Gap | Fixed | Live
Word = str | Gap | Live


class Uncertain(Exception):
    """The pieces would not make for sure what the whole makes."""


GIVE_UP = (Uncertain, TemplateFault, *FAULTS)


@dataclass(frozen=True, slots=True)
class Part:
    """Subject, body or html with everything written that is the same for everybody."""

    words: tuple[Word, ...]
    steps_left: int
    is_html: bool

    def filled(self, context: Mapping[str, Any]) -> str:
        """Raises Uncertain, or any of FAULTS."""
        customer, budget = context[CUSTOMER], LoopBudget(self.steps_left)
        text = "".join(
            word
            if isinstance(word, str)
            else self._gap(word, customer)
            if isinstance(word, Gap)
            else written(word.template, context, budget)
            for word in self.words
        )
        if len(text) > MAX_TEXT:
            raise Uncertain
        return text

    def _gap(self, gap: Gap, customer: Any) -> str:
        value = customer
        for step in gap.path:
            value = value[step]
        if not isinstance(value, str):
            raise Uncertain
        return escape(value) if self.is_html else value


class Broadcast:
    """One source for the customers of one event. `context` is all that a template sees but the customer."""

    def __init__(self, source: Source, context: dict[str, Any]) -> None:
        self.source, self.context = source, context
        try:
            self._parts = [_part(source, name, context) for name in ("subject", "body", "html")]
        except GIVE_UP:
            self._parts = []

    def render(self, customer: Mapping[str, Any]) -> Rendered:
        """Raises TemplateFault, as `rendering.render` does."""
        context = {**self.context, CUSTOMER: customer}
        if not self._parts:
            return render(self.source, context)
        try:
            subject, body, html = [part.filled(context) for part in self._parts]
        except GIVE_UP:
            return render(self.source, context)
        return Rendered(" ".join(subject.split())[:MAX_SUBJECT], body, html)


def _part(source: Source, name: str, context: Mapping[str, Any]) -> Part:
    budget = LoopBudget()
    pieces = _pieces(source.key, name, getattr(source, name))
    if pieces is None:
        raise Uncertain
    words = tuple(written(p.template, context, budget) if isinstance(p, Fixed) else p for p in pieces)
    return Part(words, budget.left, is_html=name == "html")


@lru_cache(maxsize=COMPILED)
def _pieces(key: str, part: str, text: str) -> tuple[Piece, ...] | None:
    """`key` is that of the source. None for a template that carries names from one piece to the next."""
    tree = environment(part).parse(text)
    if tree.find(nodes.Assign):
        return None
    pieces: list[Piece] = []
    same: list[nodes.Node] = []
    for node in _top_level(tree.body):
        if not _speaks_of_customer(node):
            same.append(node)
            continue
        pieces.extend(_fixed(part, same))
        same = []
        gap = _gap_of(node)
        pieces.append(gap or Live(_template(part, [node])))
    return (*pieces, *_fixed(part, same))


def _top_level(body: Sequence[nodes.Node]) -> Iterator[nodes.Node]:
    """Text and the expressions in it one by one."""
    for node in body:
        if isinstance(node, nodes.Output):
            for child in node.nodes:
                yield nodes.Output([child], lineno=child.lineno or node.lineno)
        else:
            yield node


def _speaks_of_customer(node: nodes.Node) -> bool:
    return any(isinstance(inner, nodes.Name) and inner.name == CUSTOMER for inner in walk(node))


def _gap_of(node: nodes.Node) -> Gap | None:
    """When the node writes a value of the customer as it is."""
    value: Any = node.nodes[0] if isinstance(node, nodes.Output) else None
    path: list[str] = []
    while isinstance(value, nodes.Getattr):
        path.insert(0, value.attr)
        value = value.node
    return Gap(tuple(path)) if path and isinstance(value, nodes.Name) and value.name == CUSTOMER else None


def _fixed(part: str, body: list[nodes.Node]) -> list[Piece]:
    return [Fixed(_template(part, body))] if body else []


def _template(part: str, body: list[nodes.Node]) -> Template:
    tree = nodes.Template(body, lineno=1)
    tree.set_environment(environment(part))
    return environment(part).from_string(tree)
