"""Where a link may lead. What fills an attribute that is followed as an address must not be a script."""

import re

LINK = "link target"  # a filter that no template can name, and the first step of an outline's path to such a value
NOWHERE = "#"
NEVER = ("javascript", "vbscript", "data")
PICTURE = re.compile(r"\s*data:image/(?:png|gif|jpe?g|webp)[;,]", re.IGNORECASE)
_SKIPPED = re.compile(r"[\x00-\x20]+")  # browsers skip these in front of a scheme, and some within it


def followable(value: str) -> str:
    """The value, or NOWHERE for an address that runs what it says.

    Of an address made of several values each is asked alone, so the ends of those schemes are refused, too.
    """
    before, colon, _ = value.partition(":")
    if not colon:
        return value
    scheme = _SKIPPED.sub("", before).lower()
    if not any(never.endswith(scheme) for never in NEVER) or PICTURE.match(value):
        return value
    return NOWHERE
