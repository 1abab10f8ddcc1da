"""One text for many customers: what does not speak of the customer is rendered once, and the gaps are filled for each.

A template is cut along its top level into what is the same for everybody, gaps that hold one word about the customer
(`{{ customer.name }}`), and live pieces that do anything else with the customer. The result is what `rendered` makes of
the whole; where that is not certain, or something fails, `rendered` is asked itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, nodes
from markupsafe import escape

from notification_processor.renderer.compiling import COMPILED, Texts, environment, rendered, written
from notification_processor.renderer.outlines import Words, joined, value_of
from notification_processor.renderer.sandbox import LoopBudget, walk
from notification_processor.renderer.targets import LINK, followable
from notification_processor.renderer.wire import MAX_TEXT, PARTS

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a text about the customer stands: `("name",)`, `("attributes", "city")`."""

    path: tuple[str, ...]
    is_link: bool = False

    @property
    def word(self) -> list[str]:
        """As an outline has it."""
        return [*([LINK] if self.is_link else []), CUSTOMER, *self.path]


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


@dataclass(frozen=True, slots=True)
class Part:
    """Subject, body or html with everything written that is the same for everybody."""

    words: tuple[Word, ...]
    steps_left: int
    is_html: bool

    def filled(self, context: Mapping[str, Any]) -> str:
        """Raises Uncertain, or anything."""
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

    def outline(self) -> Words:
        """Raises Uncertain when there is more to do than to fill the gaps."""
        if any(isinstance(word, Live) for word in self.words):
            raise Uncertain
        return joined([w if isinstance(w, str) else w.word for w in self.words if not isinstance(w, Live)])

    def _gap(self, gap: Gap, customer: Any) -> str:
        value = customer
        for step in gap.path:
            value = value[step]
        if not isinstance(value, str):
            raise Uncertain
        return escape(followable(value) if gap.is_link else value) if self.is_html else value


class Broadcast:
    """One source for the customers of one event. `context` is all that a template sees but the customer."""

    def __init__(self, source: Texts, context: Mapping[str, Any]) -> None:
        self.source, self.context = source, context
        try:
            self._parts = [_part(name, text, context) for name, text in zip(PARTS, source, strict=True)]
        except Exception:  # the whole has the right words for it
            self._parts = []

    def outline(self) -> list[Words] | None:
        """What is left to fill for each customer; None when that takes more than filling."""
        try:
            return [part.outline() for part in self._parts] or None
        except Uncertain:
            return None

    def rendered(self, customer: Mapping[str, Any]) -> Texts:
        """Raises Fault, as `compiling.rendered` does."""
        context = {**self.context, CUSTOMER: customer}
        if not self._parts:
            return rendered(self.source, context)
        try:
            subject, body, html = [part.filled(context) for part in self._parts]
        except Exception:  # the whole has the right words for it
            return rendered(self.source, context)
        return Texts(subject, body, html)


def _part(name: str, text: str, context: Mapping[str, Any]) -> Part:
    budget = LoopBudget()
    pieces = _pieces(name, text)
    if pieces is None:
        raise Uncertain
    words = tuple(written(p.template, context, budget) if isinstance(p, Fixed) else p for p in pieces)
    return Part(words, budget.left, is_html=name == "html")


@lru_cache(maxsize=COMPILED)
def _pieces(part: str, text: str) -> tuple[Piece, ...] | None:
    """None for a template that carries names from one piece to the next."""
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
    path = value_of(node.nodes[0]) if isinstance(node, nodes.Output) else []
    is_link = path[:1] == [LINK]
    name, *steps = path[is_link:] or [""]
    return Gap(tuple(steps), is_link) if name == CUSTOMER and steps else None


def _fixed(part: str, body: list[nodes.Node]) -> list[Piece]:
    return [Fixed(_template(part, body))] if body else []


def _template(part: str, body: list[nodes.Node]) -> Template:
    tree = nodes.Template(body, lineno=1)
    tree.set_environment(environment(part))
    return environment(part).from_string(tree)
