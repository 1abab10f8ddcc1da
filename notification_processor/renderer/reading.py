"""What a template reads: every path of names in it, for whoever edits it."""

from typing import Any

from jinja2 import nodes

from notification_processor.renderer.compiling import Texts, compiled, environment
from notification_processor.renderer.outlines import is_key
from notification_processor.renderer.wire import EACH_ITEM, PARTS

Path = tuple[str, ...]
Scope = dict[str, Path | None]  # local names, and what they stand for where that is known
Found = tuple[str, int, bool, Path]  # part, line, whether the template does without it, path
OPTIONAL_TESTS = ("defined", "undefined")
OPTIONAL_FILTERS = ("default", "d")
GLOBALS = ("range",)


def reads(source: Texts) -> list[Found]:
    """Each path once a part, in the order of the template. Raises Fault for what does not compile."""
    found: list[Found] = []
    for part, text in zip(PARTS, source, strict=True):
        compiled(part, text)
        reading = Reading()
        reading.visit(environment(part).parse(text), {})
        found += [(part, line, path in reading.optional, path) for path, line in reading.lines.items()]
    return found


class Reading:
    """Of one part."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.optional: set[Path] = set()

    def visit(self, node: nodes.Node, scope: Scope) -> None:
        if isinstance(node, nodes.For):
            self._loop(node, scope)
        elif isinstance(node, nodes.With):
            self._with(node, scope)
        elif isinstance(node, nodes.Assign):
            self.visit(node.node, scope)
            _bind(node.target, _source(node.node, scope), scope)
        elif path := _path(node, scope):
            if path[0] not in GLOBALS:
                self.lines.setdefault(path, node.lineno)
        elif not isinstance(node, nodes.Name):
            self._inside(node, scope)

    def _inside(self, node: nodes.Node, scope: Scope) -> None:
        is_filter = isinstance(node, nodes.Filter) and node.name in OPTIONAL_FILTERS
        is_test = isinstance(node, nodes.Test) and node.name in OPTIONAL_TESTS
        if (is_filter or is_test) and (path := _path(node.node, scope)):  # type: ignore[attr-defined]
            self.optional.add(path)
        for child in node.iter_child_nodes():
            self.visit(child, scope)

    def _loop(self, loop: nodes.For, scope: Scope) -> None:
        self.visit(loop.iter, scope)
        inner: Scope = {**scope, "loop": None}
        path = _source(loop.iter, scope)
        _bind(loop.target, (*path, EACH_ITEM) if path else None, inner)
        for node in (*([loop.test] if loop.test else []), *loop.body):
            self.visit(node, inner)
        for node in loop.else_:
            self.visit(node, scope)

    def _with(self, block: nodes.With, scope: Scope) -> None:
        inner = dict(scope)
        for target, value in zip(block.targets, block.values, strict=True):
            self.visit(value, scope)
            _bind(target, _source(value, scope), inner)
        for node in block.body:
            self.visit(node, inner)


def _bind(target: nodes.Node, path: Path | None, scope: Scope) -> None:
    if isinstance(target, nodes.Name):
        scope[target.name] = path
    else:
        scope.update((name.name, None) for name in target.find_all(nodes.Name))


def _path(node: Any, scope: Scope) -> Path | None:
    """None for what is no path of names, and for local names of which nothing is known."""
    if isinstance(node, nodes.Name):
        return scope.get(node.name, (node.name,))
    if isinstance(node, nodes.Getattr):
        base = _path(node.node, scope)
        return (*base, node.attr) if base else None
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        base, key = _path(node.node, scope), node.arg.value
        step = key if is_key(key) else EACH_ITEM if type(key) is int else None
        return (*base, step) if base and step is not None else None
    return None


def _source(node: Any, scope: Scope) -> Path | None:
    """What it is made of: `items|sort` has the items of `items`."""
    while isinstance(node, nodes.Filter) and node.name not in ("dictsort", "items"):
        node = node.node
    return _path(node, scope)
