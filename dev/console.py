"""Lines for people on the terminal."""

import os
import sys
import threading
from typing import NoReturn, TextIO

COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36, "grey": 90, "bold": 1}
_turn = threading.Lock()


class Refusal(Exception):
    """A sentence for the person at the terminal: what is wrong and what to do about it."""


def refuse(sentence: str) -> NoReturn:
    """Give up with one clear sentence and no traceback."""
    raise Refusal(sentence)


def has_colour(stream: TextIO = sys.stdout) -> bool:
    """Follows NO_COLOR and FORCE_COLOR (no-color.org, force-color.org); else colours only a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def paint(text: str, colour: str) -> str:
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if has_colour() else text


def say(text: str = "") -> None:
    """One whole line at a time, whichever thread it comes from."""
    with _turn:
        print(text, flush=True)


def progress(text: str) -> None:
    say(f"{paint('==>', 'blue')} {text}")
