"""The Jinja2 sandbox that tenants' templates run in.

Templates are written by tenants and filled with strangers' data, so both are bounded: no attributes, no method calls,
a short list of filters, operators that cannot build giants, a budget of loop steps, and capped output. A dot means a
key: `order.items` is the value under "items", never a method.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from jinja2 import Undefined, nodes, pass_context, pass_eval_context
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.filters import FILTERS
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from notification_processor.renderer.allowed import FORBIDDEN_NODES, SAFE_FILTERS, SAFE_TESTS
from notification_processor.renderer.links import guard_links, link_target
from notification_processor.renderer.targets import LINK
from notification_processor.renderer.wire import MAX_TEXT

MAX_SOURCE = 64 * 1024
MAX_NODES = 2_000
MAX_DEPTH = 100  # elements within elements: Python's own compiler takes for ever over more, or crashes
MAX_LOOP_STEPS = 100_000  # a render
MAX_LOOP_DEPTH = 3  # loops within loops
MAX_RANGE = 1_000
MAX_NUMBER = 10**18
MAX_POWER = 64
BUDGET = "_budget"  # the name of the LoopBudget in a context; templates cannot write a name with a leading underscore
COUNTED = "counted steps"  # a filter that no template can name


class Forbidden(SecurityError):
    """The template asked for something that tenants' templates may not do."""


class LoopBudget:
    """Counts the steps of all loops of one render."""

    def __init__(self, left: int = MAX_LOOP_STEPS) -> None:
        self.left = left

    def spent_on(self, values: Iterator[Any]) -> Iterator[Any]:
        for value in values:
            self.left -= 1
            if self.left < 0:
                raise Forbidden(f"the loops take more than {MAX_LOOP_STEPS:,} steps")
            yield value


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """One environment for HTML (autoescape) and one for everything else."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, *, autoescape: bool = False) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=autoescape, keep_trailing_newline=True, cache_size=0)
        self.globals = {"range": BOUNDED_RANGE}
        self.filters = {name: FILTERS[name] for name in SAFE_FILTERS} | BOUNDED_FILTERS
        self.tests = {name: TESTS[name] for name in SAFE_TESTS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = Parser(self, source, name, filename).parse()
        check_tree(tree)
        BoundedConcatenation().visit(tree)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, COUNTED, [], [], None, None, lineno=loop.lineno)
        if self.autoescape:
            guard_links(tree.body)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict and attribute in obj:  # nearly always
            return obj[attribute]
        if isinstance(obj, LoopContext) and not attribute.startswith("_"):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj[argument]  # raises, naming the variable
        try:
            if isinstance(obj, dict | list | tuple | str):
                return obj[argument]
        except (LookupError, TypeError):
            pass
        return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return obj is BOUNDED_RANGE or isinstance(getattr(obj, "__self__", None), LoopContext)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator in ("**", "*", "%") and not (is_number(left) and is_number(right)):
            raise Forbidden(f"the operator {operator} works on numbers only")
        if operator == "**" and abs(right) > MAX_POWER:
            raise Forbidden(f"powers above {MAX_POWER} are not allowed")
        if operator == "+" and length_of(left) + length_of(right) > MAX_TEXT:
            raise Forbidden("the text grew too long")
        if is_number(left) and is_number(right) and max(abs(left), abs(right)) > MAX_NUMBER:
            raise Forbidden(f"the numbers given to {operator} are too large")
        return super().call_binop(context, operator, left, right)


class BoundedConcatenation(NodeTransformer):
    """Turns `a ~ b` into a filter that may refuse: Jinja's own joins whatever it gets."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 - Jinja finds it by this name
        parts = nodes.List([self.visit(part) for part in node.nodes], lineno=node.lineno)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)


def check_tree(tree: nodes.Template) -> None:
    """Raises TemplateSyntaxError for what the tree shows before anything runs."""
    for count, node in enumerate(walk(tree), start=1):
        if count > MAX_NODES:
            raise TemplateSyntaxError(f"the template has more than {MAX_NODES:,} elements", node.lineno)
        if isinstance(node, FORBIDDEN_NODES):
            raise TemplateSyntaxError(f'"{type(node).__name__.lower()}" is not available in templates', node.lineno)
        if isinstance(node, nodes.For) and node.recursive:
            raise TemplateSyntaxError('"recursive" loops are not available', node.lineno)
        if isinstance(node, nodes.Name) and node.name.startswith("_"):
            raise TemplateSyntaxError(f'names that start with "_" ({node.name}) are not available', node.lineno)
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise TemplateSyntaxError(f'names that start with "_" ({node.attr}) are not available', node.lineno)
    check_nesting(tree)


def check_nesting(tree: nodes.Template) -> None:
    """Loops multiply each other's steps."""
    pending: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while pending:
        node, depth, loops = pending.pop()
        if depth > MAX_DEPTH:
            raise TemplateSyntaxError("the template is nested too deeply", node.lineno)
        if loops > MAX_LOOP_DEPTH:
            raise TemplateSyntaxError(f"loops are nested more than {MAX_LOOP_DEPTH} deep", node.lineno)
        pending.extend((n, depth + 1, loops + isinstance(n, nodes.For)) for n in node.iter_child_nodes())


def walk(node: nodes.Node) -> Iterable[nodes.Node]:
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(current.iter_child_nodes())


def is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def length_of(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 0


class BoundedRange:
    """As `range`, of at most MAX_RANGE numbers."""

    def __call__(self, *bounds: int) -> range:
        numbers = range(*bounds)
        if len(numbers) > MAX_RANGE:
            raise Forbidden(f"range() gives at most {MAX_RANGE:,} numbers")
        return numbers

    def __repr__(self) -> str:
        return "range"


BOUNDED_RANGE = BoundedRange()


@pass_eval_context
def bounded_join(context: Any, parts: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    listed = list(parts)
    if attribute is not None:
        listed = [context.environment.getitem(part, attribute) for part in listed]
    if sum(len(str(part)) + len(separator) for part in listed) > MAX_TEXT:
        raise Forbidden("the text grew too long")
    joined: str = FILTERS["join"](context, listed, separator)
    return joined


def bounded_round(value: float, precision: int = 0) -> float:
    if not -10 <= precision <= 10:
        raise Forbidden("round() takes a precision from -10 to 10")
    return round(value, precision) if precision else float(round(value))


def bounded_replace(text: Any, old: str, new: str) -> str:
    plain = str(text)
    if not old or len(plain) + plain.count(old) * max(0, len(new) - len(old)) > MAX_TEXT:
        raise Forbidden("replace() would make the text too long")
    if isinstance(text, Markup):
        return text.replace(old, escape(new))
    return plain.replace(old, new)


def to_json(value: Any) -> str:
    return str(orjson.dumps(value), "utf-8")


@pass_context
def counted(context: Context, values: Any) -> Iterator[Any]:
    """What a loop goes over. The budget is the render's, see BUDGET."""
    budget: LoopBudget = context[BUDGET]
    return budget.spent_on(iter(values))


BOUNDED_FILTERS = {
    COUNTED: counted,
    LINK: link_target,
    "join": bounded_join,
    "replace": bounded_replace,
    "round": bounded_round,
    "tojson": to_json,
}
