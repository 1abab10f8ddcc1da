"""Did you mean …? For names that callers mistype."""

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like `word`, if any is like it."""
    names = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word[:100].casefold(), names, n=1, cutoff=0.6)
    return names[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint of a problem: a guess when there is one, else the whole list when it is short."""
    names = list(known)
    if guess := closest(word, names):
        return f'Did you mean "{guess}"?'
    return f"Known: {', '.join(names)}." if 0 < len(names) <= 12 else None
