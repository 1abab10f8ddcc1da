"""Fills outlines: words with names in between. No expression is evaluated, so this needs no renderer."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import escape

MAX_TEXT = 256 * 1024  # characters; as the renderer has it
WRITTEN_AS_THEY_ARE = frozenset({int, float, bool, type(None)})
Outline = Sequence[Sequence[str | Sequence[str]]]  # of subject, body and html


class Unfillable(Exception):
    """Something is missing, is not one word, or is too long: the renderer finds out what to say about it."""


def filled(outline: Outline, names: Mapping[str, Any]) -> list[str]:
    """Subject, body and html. Raises Unfillable."""
    subject, body, html = outline
    return [_text(subject, names), _text(body, names), _text(html, names, is_html=True)]


def _text(words: Sequence[str | Sequence[str]], names: Mapping[str, Any], *, is_html: bool = False) -> str:
    said: list[str] = []
    for word in words:
        if type(word) is str:
            said.append(word)
        elif is_html:
            said.append(str(escape(_value(word, names))))
        else:
            said.append(_value(word, names))
    text = "".join(said)
    if len(text) > MAX_TEXT:
        raise Unfillable
    return text


def _value(path: Sequence[str], names: Any) -> str:
    value = names
    for step in path:
        if type(value) is not dict or step not in value:
            raise Unfillable
        value = value[step]
    if type(value) is str:
        return value
    if type(value) in WRITTEN_AS_THEY_ARE:
        return str(value)
    raise Unfillable


class Outlines:
    """The outlines of versions that never change, by their key; None for one that only the renderer can fill.

    Bounded by what they take, as any tenant may have as many templates as it likes, of any size.
    """

    def __init__(self, most: int) -> None:
        self._known: OrderedDict[str, tuple[Outline | None, int]] = OrderedDict()
        self._left = most  # characters
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def get(self, key: str) -> Outline | None:
        outline, _ = self._known.get(key, (None, 0))
        return outline

    def keep(self, key: str, outline: Outline | None) -> None:
        size = 200 + sum(len(word) for part in outline or () for word in part)
        with self._lock:
            if key in self._known:
                return
            self._known[key] = outline, size
            self._left -= size
            while self._left < 0:
                _, (_, freed) = self._known.popitem(last=False)
                self._left += freed
