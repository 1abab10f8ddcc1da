"""Fills outlines: words with names in between. Nothing of a tenant's is executed here, so this needs no renderer.

What comes in is data, read by a renderer: texts, which are copied, and lists of keys, which are looked up in JSON's own
objects, one after the other. A value that is found is copied if it is a str, and written by `str` if it is exactly an
int, a float, a bool or None; anything else is left to a renderer. There is no parser, no attribute, no operator, no
filter and no call that a template could choose, and what comes out is at most MAX_TEXT long.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import escape

from notification_processor.renderer.targets import LINK, followable
from notification_processor.renderer.wire import MAX_TEXT

WRITTEN_AS_THEY_ARE = frozenset({int, float, bool, type(None)})
Outline = Sequence[Sequence[str | Sequence[str]]]  # of subject, body and html
WORD = 100  # characters' worth of memory that a text or a key takes besides its own


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
            value = followable(_value(word[1:], names)) if word[0] == LINK else _value(word, names)
            said.append(str(escape(value)))
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


def size_of(outline: Outline | None) -> int:
    """In characters' worth of memory."""
    return sum(_size(word) for part in outline or () for word in part)


def _size(word: str | Sequence[str]) -> int:
    return WORD + (len(word) if isinstance(word, str) else sum(WORD + len(step) for step in word))
