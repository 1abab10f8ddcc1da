"""Fills outlines: words with names in between. Nothing of a tenant's is executed here, so this needs no renderer.

What comes in is data, read by a renderer and held to its shape (see `renderer.outlines`): texts, which are copied, and
lists of keys, which are looked up in JSON's own objects, one after the other. A value that is found is copied if it is
a str, and written by `str` if it is exactly an int, a float, a bool or None; anything else is left to a renderer. What
stands under a condition is said if the value is there and true, what stands in a loop for each item of a list. There is
no parser, no attribute, no operator and no call that a template could choose, but four filters that do what their names
say to one value; what comes out is at most MAX_TEXT long, and made in at most MAX_STEPS.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import escape

from notification_processor.renderer.targets import LINK, followable
from notification_processor.renderer.wire import MAX_TEXT

WRITTEN_AS_THEY_ARE = frozenset({int, float, bool, type(None)})
MAX_STEPS = 2_000  # words said, those of loops each time
Word = str | Sequence[str] | Mapping[str, Any]
Words = Sequence[Word]
Outline = Sequence[Words]  # of subject, body and html
WORD = 100  # characters' worth of memory that a text or a key takes besides its own


class Unfillable(Exception):
    """Something is missing, is not one word, or is too long: the renderer finds out what to say about it."""


def filled(outline: Outline, names: Mapping[str, Any]) -> list[str]:
    """Subject, body and html. Raises Unfillable."""
    subject, body, html = outline
    return [_text(subject, names), _text(body, names), _text(html, names, is_html=True)]


def has_blocks(outline: Outline | None) -> bool:
    """Whether it takes more than copying."""
    return any(type(word) is dict for words in outline or () for word in words)


def _text(words: Words, names: Mapping[str, Any], *, is_html: bool = False) -> str:
    if not words:
        return ""
    text = Text(is_html=is_html)
    text.add(words, names)
    return "".join(text.said)


class Text:
    """One part on its way."""

    __slots__ = ("_is_html", "_length", "_steps", "said")

    def __init__(self, *, is_html: bool) -> None:
        self.said: list[str] = []
        self._is_html, self._length, self._steps = is_html, 0, 0

    def add(self, words: Words, names: Mapping[str, Any]) -> None:
        """Raises Unfillable."""
        self._steps += len(words) + 1
        if self._steps > MAX_STEPS:
            raise Unfillable
        for word in words:
            if type(word) is str:
                self._say(word)
            elif type(word) is list:
                self._say(self._value(word, [], names))
            else:
                self._add_block(word, names)  # type: ignore[arg-type]

    def _add_block(self, block: Mapping[str, Any], names: Mapping[str, Any]) -> None:
        if "value" in block:
            self._say(self._value(block["value"], block["through"], names))
        elif "if" in block:
            self.add(block["then"] if _found(block["if"], names) else block["else"], names)
        else:
            self._add_each(block["each"], _found(block["in"], names), block["do"], names)

    def _add_each(self, name: str, items: Any, words: Words, names: Mapping[str, Any]) -> None:
        if type(items) is not list:
            raise Unfillable
        inside = dict(names)
        for item in items:
            inside[name] = item
            self.add(words, inside)

    def _value(self, path: Sequence[str], through: Sequence[Sequence[Any]], names: Mapping[str, Any]) -> str:
        if not self._is_html:
            return _written(path, through, names)
        is_link = path[0] == LINK
        value = _written(path[1:] if is_link else path, through, names)
        return str(escape(followable(value) if is_link else value))

    def _say(self, word: str) -> None:
        self._length += len(word)
        if self._length > MAX_TEXT:
            raise Unfillable
        self.said.append(word)


def _written(path: Sequence[str], through: Sequence[Sequence[Any]], names: Mapping[str, Any]) -> str:
    if not through:
        return _word(_found(path, names))
    (first, *given), *others = through
    value = _found_or(path, names, given[0]) if first == "default" else _filtered(_found(path, names), first, given)
    for name, *more in others:
        value = _filtered(value, name, more)
    return _word(value)


def _filtered(value: Any, name: str, given: Sequence[Any]) -> Any:
    """As `renderer.sandbox` has it."""
    if name != "round":
        return _word(value).upper() if name == "upper" else _word(value).lower()
    if type(value) not in (int, float):
        raise Unfillable
    try:
        return round(value, given[0]) if given and given[0] else float(round(value))
    except (ValueError, OverflowError) as exc:
        raise Unfillable from exc


def _found(path: Sequence[str], names: Any) -> Any:
    value = names
    for step in path:
        if type(value) is not dict or step not in value:
            raise Unfillable
        value = value[step]
    return value


def _found_or(path: Sequence[str], names: Any, default: str) -> Any:
    """The default for the last step only: a renderer has words for others that are missing."""
    *way, last = path
    value = _found(way, names)
    if type(value) is not dict:
        raise Unfillable
    return value.get(last, default)


def _word(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) in WRITTEN_AS_THEY_ARE:
        return str(value)
    raise Unfillable


def size_of(outline: Outline | None) -> int:
    """In characters' worth of memory."""
    return sum(map(_size, outline or ()))


def _size(word: Any) -> int:
    if isinstance(word, list | dict):
        return WORD + sum(map(_size, word.values() if isinstance(word, dict) else word))
    return WORD + (len(word) if isinstance(word, str) else 0)
