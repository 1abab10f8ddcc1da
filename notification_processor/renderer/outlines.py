"""Most templates are words with names in between: those need no Jinja to be filled, only to be read once.

An outline is a list of texts and paths: ["Dear ", ["customer", "name"], ","]. Whoever fills it escapes HTML, and looks
at where a link leads: the path of its value begins with LINK.
"""

from collections.abc import Sequence
from typing import Any

from jinja2 import nodes

from notification_processor.renderer.compiling import Texts, environment, is_encodable
from notification_processor.renderer.links import guarded
from notification_processor.renderer.targets import LINK
from notification_processor.renderer.wire import PARTS

Words = list[str | list[str]]
NOT_THE_CONTEXTS = frozenset({"self", "super", "caller", "range"})  # names that Jinja or the sandbox may give a meaning


def outline(source: Texts) -> list[Words] | None:
    """Words for each part; None for a template that is more than that, or that does not compile."""
    found = [_words(part, text) for part, text in zip(PARTS, source, strict=True)]
    return None if None in found else [words for words in found if words is not None]


def _words(part: str, text: str) -> Words | None:
    try:
        tree = environment(part).parse(text) if text else nodes.Template([])
    except Exception:  # the renderer will say which, when it is asked for a text
        return None
    words: Words = []
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            return None
        for child in node.nodes:
            word = child.data if isinstance(child, nodes.TemplateData) else value_of(child)
            if not word:
                return None
            words.append(word)
    return joined(words)


def value_of(node: nodes.Node) -> list[str]:
    """The path of a value that is written as it is; empty for any other expression."""
    value = guarded(node)
    path = path_of(value or node)
    if not path or path[0] in NOT_THE_CONTEXTS:
        return []
    return [LINK, *path] if value else path


def path_of(node: nodes.Node) -> list[str]:
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


def joined(words: Sequence[str | list[str]]) -> Words:
    """Neighbouring texts as one."""
    together: Words = []
    for word in words:
        if isinstance(word, str) and together and isinstance(together[-1], str):
            together[-1] += word
        elif word:
            together.append(word)
    return together
