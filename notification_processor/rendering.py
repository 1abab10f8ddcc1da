"""Templates to text. What is more than an outline (see `filling`) is compiled and rendered in another process."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from notification_processor.bounded_memory import BoundedMemory
from notification_processor.filling import Outline, Unfillable, filled, has_blocks, size_of
from notification_processor.renderer.wire import CHECK, CUT, EACH, OUTLINE, PARTS, RENDER
from notification_processor.renderer_jobs import Effort, Job, Refused, Text, answered, at_once

MAX_SOURCE = 64 * 1024  # characters of a part
MAX_SUBJECT = 998  # characters: one line of RFC 5322
MANY = 4  # customers of one context from whom on it pays to cut a template
KEPT = 8_000_000  # characters of outlines that a process remembers
# By key; None for a version that only a renderer can fill.
_outlines: BoundedMemory[str, Outline | None] = BoundedMemory(KEPT)


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

    @property
    def text(self) -> Text:
        return self.subject, self.body, self.html


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    body: str
    html: str


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A text to make. The context of several orders may be one object; `customer`, if given, goes into it.

    `owner`: the tenant whose template it is.
    """

    source: Source
    context: Mapping[str, Any]
    customer: Mapping[str, Any] | None = None
    owner: str = ""

    def job(self, what: str) -> Job:
        return Job(what, self.source.text, self.context, self.customer if what in (RENDER, EACH) else None, self.owner)


class TemplateFault(Exception):
    """A template that does not compile or render. `line` counts from 1; `part` is subject, body or html."""

    def __init__(self, detail: str, *, part: str, line: int | None = None, column: int | None = None) -> None:
        where = f"{part}, line {line}" if line else part
        super().__init__(f"{where}: {detail}")
        self.detail, self.part, self.line, self.column = detail, part, line, column


def render(source: Source, context: Mapping[str, Any], *, owner: str = "", effort: Effort | None = None) -> Rendered:
    """Raises TemplateFault, which names the part, the line and the variable, or Problem `renderer_unavailable`."""
    (made,) = render_many([Order(source, context, owner=owner)], effort=effort)
    if isinstance(made, TemplateFault):
        raise made
    return made


def render_many(orders: Sequence[Order], *, effort: Effort | None = None) -> list[Rendered | TemplateFault]:
    """In the order of the orders, with as few questions to the renderer as can be. Raises `renderer_unavailable`.

    Without an `effort` somebody waits for the texts.
    """
    effort = effort or at_once(len(orders))
    made: dict[int, Rendered | TemplateFault] = {}
    stopped = _learn(orders, effort)
    made.update((n, stopped[o.source.key]) for n, o in enumerate(orders) if o.source.key in stopped)
    rest, many = _fill_all(orders, [n for n in range(len(orders)) if n not in made], made, effort)
    jobs = [orders[n].job(EACH if n in many else RENDER) for n in rest]
    made.update(zip(rest, map(_made, answered(jobs, effort=effort)), strict=True))
    return [made[number] for number in range(len(orders))]


def check(source: Source, *, owner: str = "", effort: Effort | None = None) -> set[str]:
    """Compiles every part: top-level names that the template reads, those it guards with `default` among them.

    Raises TemplateFault for the first part that does not compile, or Problem `renderer_unavailable`.
    """
    for part in PARTS:
        if len(getattr(source, part)) > MAX_SOURCE:
            raise TemplateFault(f"longer than {MAX_SOURCE:,} characters", part=part)
    (answer,) = answered([Job(CHECK, source.text, owner=owner)], effort=effort)
    if isinstance(answer, Refused):
        raise _fault(answer)
    return set(answer)


def inline_source(*, channel: str, subject: str, body: str, html: str) -> Source:
    """Words that came with the request, keyed by themselves."""
    digest = hashlib.blake2b("\x00".join((subject, body, html)).encode(), digest_size=16).hexdigest()
    return Source(f"inline:{digest}", channel, subject, body, html)


def _learn(orders: Sequence[Order], effort: Effort) -> dict[str, TemplateFault]:
    """The outlines of sources that this process does not know yet; by key, those that the renderer was stopped at."""
    unknown = {order.source.key: order for order in orders if order.source.key not in _outlines}
    stopped: dict[str, TemplateFault] = {}
    jobs = [order.job(OUTLINE) for order in unknown.values()]
    for key, outline in zip(unknown, answered(jobs, effort=effort), strict=True):
        if isinstance(outline, Refused):
            stopped[key] = _fault(outline)
        else:
            _outlines.keep(key, outline, size=size_of(outline))
    return stopped


def _fill_all(
    orders: Sequence[Order], numbers: Sequence[int], made: dict[int, Rendered | TemplateFault], effort: Effort
) -> tuple[list[int], set[int]]:
    """Makes what needs no more than filling. What does, and which are of many customers of one context.

    For many customers it pays to do once what is the same for all of them, be it no more than an outline says.
    """
    outlines = [(n, _outlines.get(orders[n].source.key)) for n in numbers]
    if len(orders) < MANY:
        return _fill(orders, outlines, made), set()
    shared = {n: outline for n, outline in outlines if orders[n].customer is not None and has_blocks(outline)}
    rest = _fill(orders, [(n, outline) for n, outline in outlines if n not in shared], made)
    groups = _alike(orders, sorted((*rest, *shared)))
    many = {n for group in groups if len(group) >= MANY for n in group}
    if many:
        rest = _fill_cut(orders, groups, made, effort)
    few = {n: outline for n, outline in shared.items() if n not in many}
    return _fill(orders, [(n, few.get(n)) for n in sorted({*rest, *few})], made), many


def _fill(
    orders: Sequence[Order], outlines: Iterable[tuple[int, Outline | None]], made: dict[int, Rendered | TemplateFault]
) -> list[int]:
    """Makes those that need no more than filling; which ones do."""
    rest: list[int] = []
    for number, outline in outlines:
        order = orders[number]
        try:
            if outline is None:
                raise Unfillable
            names = order.context if order.customer is None else {**order.context, "customer": order.customer}
            made[number] = _rendered(filled(outline, names))
        except Unfillable:
            rest.append(number)
    return rest


def _fill_cut(
    orders: Sequence[Order],
    groups: Sequence[Sequence[int]],
    made: dict[int, Rendered | TemplateFault],
    effort: Effort,
) -> list[int]:
    """What is the same for all customers of a context is rendered once; those for whom that is not enough."""
    large = [group for group in groups if len(group) >= MANY]
    cuts = answered([orders[group[0]].job(CUT) for group in large], effort=effort)
    rest = [number for group in groups if len(group) < MANY for number in group]
    for group, cut in zip(large, cuts, strict=True):
        outline = None if isinstance(cut, Refused) else cut
        rest += _fill(orders, ((number, outline) for number in group), made)
    return sorted(rest)


def _alike(orders: Sequence[Order], numbers: Sequence[int]) -> list[list[int]]:
    """Orders of one source and context together; those without a customer stand alone."""
    alone = count()
    groups: dict[tuple[object, ...], list[int]] = {}
    for number in numbers:
        order = orders[number]
        key = (order.source.key, id(order.context)) if order.customer is not None else (next(alone),)
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def _made(answer: Any) -> Rendered | TemplateFault:
    return _fault(answer) if isinstance(answer, Refused) else _rendered(answer)


def _rendered(texts: Sequence[str]) -> Rendered:
    subject, body, html = texts
    return Rendered(" ".join(subject.split())[:MAX_SUBJECT], body, html)


def _fault(refused: Refused) -> TemplateFault:
    return TemplateFault(refused.detail, part=refused.part, line=refused.line, column=refused.column)
