"""Most templates are words with names in between, some of them said under a condition or for each item of a list: those
need no Jinja to be filled, only to be read once.

An outline is a list of words. A word is a text; a path, as ["customer", "name"]; or one of three blocks:
{"value": path, "through": [["round", 2]]}, a value that goes through filters (of `FILLED_FILTERS`) on its way;
{"if": path, "then": words, "else": words}; {"each": name, "in": path, "do": words}.
Whoever fills it escapes HTML, and looks at where a link leads: the path of its value begins with LINK.
"""

from collections.abc import Sequence
from typing import Any

from jinja2 import nodes

from notification_processor.renderer.compiling import Texts, environment, is_encodable
from notification_processor.renderer.links import guarded
from notification_processor.renderer.sandbox import COUNTED
from notification_processor.renderer.targets import LINK
from notification_processor.renderer.wire import FILLED_FILTERS, MAX_BLOCK_DEPTH, PARTS, is_argument

Word = str | list[str] | dict[str, Any]
Words = list[Word]
LOOP = "loop"
NOT_THE_CONTEXTS = frozenset({"self", "super", "caller", "range"})  # names that Jinja or the sandbox may give a meaning


class TooMuch(Exception):
    """It takes a renderer to say what this says."""


def outline(source: Texts) -> list[Words] | None:
    """Words for each part; None for a template that is more than that, or that does not compile."""
    try:
        return [_outlined(part, text) for part, text in zip(PARTS, source, strict=True)]
    except TooMuch:
        return None


def _outlined(part: str, text: str) -> Words:
    try:
        tree = environment(part).parse(text) if text else nodes.Template([])
    except Exception as exc:  # the renderer will say which, when it is asked for a text
        raise TooMuch from exc
    return _words(tree.body)


def _words(body: Sequence[nodes.Node], depth: int = 0, loops: int = 0) -> Words:
    words: Words = []
    for node in body:
        if isinstance(node, nodes.Output):
            words += [_said(child, loops) for child in node.nodes]
        elif isinstance(node, nodes.If) and depth < MAX_BLOCK_DEPTH:
            words.append(_condition(node, depth + 1, loops))
        elif isinstance(node, nodes.For) and depth < MAX_BLOCK_DEPTH:
            words.append(_loop(node, depth + 1, loops + 1))
        else:
            raise TooMuch
    return joined(words)


def _said(node: nodes.Node, loops: int) -> Word:
    if isinstance(node, nodes.TemplateData):
        return node.data
    value = guarded(node)
    through: list[list[Any]] = []
    inner: nodes.Node | None = value or node
    while isinstance(inner, nodes.Filter):
        through.insert(0, _filter(inner))
        inner = inner.node
    path = _path(inner, loops)
    path = [LINK, *path] if value else path
    return {"value": path, "through": through} if through else path


def _filter(node: nodes.Filter) -> list[Any]:
    """Its name and what it is given."""
    given = [arg.value if isinstance(arg, nodes.Const) else None for arg in node.args]
    extra = node.kwargs or node.dyn_args or node.dyn_kwargs
    if extra or node.name not in FILLED_FILTERS or not is_argument(node.name, given):
        raise TooMuch
    if node.name == "default" and isinstance(node.node, nodes.Filter):
        raise TooMuch  # what comes out of a filter is never undefined
    return [node.name, *given]


def _condition(node: nodes.If, depth: int, loops: int) -> dict[str, Any]:
    """An `elif` is a condition in the `else`."""
    otherwise: Sequence[nodes.Node] = node.else_
    if node.elif_:
        first, *others = node.elif_
        otherwise = [nodes.If(first.test, first.body, others, node.else_)]
    path = _path(node.test, loops)
    return {"if": path, "then": _words(node.body, depth, loops), "else": _words(otherwise, depth, loops)}


def _loop(node: nodes.For, depth: int, loops: int) -> dict[str, Any]:
    target, over = node.target, node.iter
    if not isinstance(target, nodes.Name) or target.name in {LOOP, *NOT_THE_CONTEXTS} or node.test or node.else_:
        raise TooMuch
    path = _path(over.node if isinstance(over, nodes.Filter) and over.name == COUNTED else over, loops - 1)
    return {"each": target.name, "in": path, "do": _words(node.body, depth, loops)}


def _path(node: nodes.Node | None, loops: int) -> list[str]:
    """Of a name of the context. `loops`: within how many loops, each of which has a name of its own for itself."""
    path = path_of(node)
    if not path or path[0] in NOT_THE_CONTEXTS or (loops and path[0] == LOOP):
        raise TooMuch
    return path


def value_of(node: nodes.Node) -> list[str]:
    """The path of a value that is written as it is; empty for any other expression."""
    try:
        word = _said(node, 0)
    except TooMuch:
        return []
    return word if isinstance(word, list) else []


def path_of(node: nodes.Node | None) -> list[str]:
    """`order.id` and `order["id"]` are ["order", "id"]; empty for any other expression."""
    steps: list[str] = []
    value: Any = node
    while not isinstance(value, nodes.Name):
        if isinstance(value, nodes.Getattr):
            steps.append(value.attr)
        elif isinstance(value, nodes.Getitem) and isinstance(value.arg, nodes.Const) and is_key(value.arg.value):
            steps.append(value.arg.value)
        else:
            return []
        value = value.node
    return [value.name, *reversed(steps)]


def is_key(value: Any) -> bool:
    """Half a surrogate pair is no key in JSON."""
    return type(value) is str and (value.isascii() or is_encodable(value))


def joined(words: Sequence[Word]) -> Words:
    """Neighbouring texts as one."""
    together: Words = []
    for word in words:
        if isinstance(word, str) and together and isinstance(together[-1], str):
            together[-1] += word
        elif word:
            together.append(word)
    return together
