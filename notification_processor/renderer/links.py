"""Finds the values that a template puts at the beginning of an address, and has each of them looked at.

`href="{{ url }}"` is such a place, `href="https://example.com/?q={{ q }}"` is not: there the author has said where the
link leads. An escaped value cannot leave its attribute, but `javascript:…` would not have to.
"""

import re
from collections.abc import Sequence
from typing import Any

from jinja2 import nodes

from notification_processor.renderer.targets import LINK, NOWHERE, followable

OPENED = re.compile(
    r"\b(?:href|src|action|formaction|background|poster|data|cite)\s*=\s*[\"']?\s*\Z", re.IGNORECASE
)  # fmt: skip
LOOKED_AT = 40  # characters before a value
NOTHING_YET = re.compile(r"[\s\"']*")


def guard_links(body: Sequence[nodes.Node], is_open: bool = False) -> bool:
    """In place. `is_open`: whether an address begins where the body begins; answers whether one does where it ends."""
    for node in body:
        if isinstance(node, nodes.Output):
            is_open = _guard_output(node, is_open)
        elif isinstance(node, nodes.If):
            branches = [node.body, *(other.body for other in node.elif_), node.else_]
            ends = [guard_links(branch, is_open) for branch in branches]
            is_open = any(ends)
        elif isinstance(node, nodes.For):
            is_open = _guard_loop(node, is_open)
        elif isinstance(node, nodes.With):
            is_open = guard_links(node.body, is_open)
    return is_open


def guarded(node: nodes.Node) -> nodes.Expr | None:
    """What is looked at, where this is the look."""
    return node.node if isinstance(node, nodes.Filter) and node.name == LINK else None


def link_target(value: Any) -> Any:
    """The filter. Raises for what is undefined."""
    text = str(value)
    return value if followable(text) == text else NOWHERE


def _guard_loop(loop: nodes.For, is_open: bool) -> bool:
    """What one step leaves open the next step finds open."""
    ends = guard_links(loop.body, is_open)
    if ends and not is_open:
        guard_links(loop.body, True)
    return guard_links(loop.else_, is_open) or ends or is_open


def _guard_output(output: nodes.Output, is_open: bool) -> bool:
    for place, child in enumerate(output.nodes):
        if isinstance(child, nodes.TemplateData):
            goes_on = is_open and NOTHING_YET.fullmatch(child.data)
            is_open = bool(goes_on or OPENED.search(child.data[-LOOKED_AT:]))
        elif is_open and not guarded(child):
            output.nodes[place] = nodes.Filter(child, LINK, [], [], None, None, lineno=child.lineno)
    return is_open
