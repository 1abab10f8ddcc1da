"""Words under way, tried with a sample: what they become, and all that is wrong with them, part by part."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from notification_processor.renderer.wire import EACH_ITEM, PARTS, READS, RENDER
from notification_processor.renderer_jobs import Job, Refused, Text, answered
from notification_processor.rendering import MAX_SOURCE, MAX_SUBJECT, Rendered

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Read:
    """A value that a part reads. `is_optional`: it says what to do without."""

    part: str
    line: int
    is_optional: bool
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """As authors write it: `customer.name`, `items[].price`."""
        return ".".join(self.path).replace(f".{EACH_ITEM}", EACH_ITEM)


@dataclass(frozen=True, slots=True)
class Flaw:
    """`line` is 0 where it is not known. `is_fatal`: the part cannot be made, at least with this sample."""

    part: str
    line: int
    detail: str
    is_fatal: bool = True


@dataclass(frozen=True, slots=True)
class Tried:
    text: Rendered
    flaws: list[Flaw] = field(default_factory=list)


def reads_of(text: Text, *, owner: str) -> tuple[list[Read], list[Flaw]]:
    """Of each part that compiles; what is wrong with the others. Raises Problem `renderer_unavailable`."""
    short, flaws = _short_enough(text)
    answers = answered([Job(READS, alone, owner=owner) for alone in short.values()])
    found: list[Read] = []
    for part, answer in zip(short, answers, strict=True):
        if isinstance(answer, Refused):
            flaws.append(Flaw(part, answer.line or 0, answer.detail))
        else:
            found += [Read(at, line, is_optional, tuple(path)) for at, line, is_optional, path in answer]
    return found, flaws


def tried(text: Text, reads: Sequence[Read], flaws: Sequence[Flaw], context: Mapping[str, Any], *, owner: str) -> Tried:
    """Every part that `reads_of` has no flaw of, made by itself. Raises Problem `renderer_unavailable`."""
    broken = {flaw.part for flaw in flaws}
    alone = {part: one for part, one in _alone(text).items() if part not in broken}
    made: dict[str, str] = {}
    told = list(flaws)
    for part, answer in zip(
        alone, answered([Job(RENDER, o, context, owner=owner) for o in alone.values()]), strict=True
    ):
        if not isinstance(answer, Refused):
            made[part] = answer[PARTS.index(part)]
        elif "is missing" not in answer.detail or not _missing(reads, part, context, is_fatal=True):
            told.append(Flaw(part, answer.line or 0, answer.detail))
    for part in alone:
        told += _missing(reads, part, context, is_fatal=part not in made)
    subject = " ".join(made.get("subject", "").split())[:MAX_SUBJECT]
    return Tried(Rendered(subject, made.get("body", ""), made.get("html", "")), told)


def _missing(reads: Sequence[Read], part: str, context: Mapping[str, Any], *, is_fatal: bool) -> list[Flaw]:
    """What the part reads without saying what to do without it, and the sample lacks."""
    lacking = [read for read in reads if read.part == part and not read.is_optional and not _has(context, read.path)]
    needed = "is missing" if is_fatal else "is not in the sample, and was not needed"
    return [
        Flaw(part, read.line, f'the variable "{read.name}" {needed}.{_hint(read, context)}', is_fatal)
        for read in lacking
    ]


def _has(value: Any, path: Sequence[str]) -> bool:
    """An empty list lacks nothing: there is no item to look at. The items of an object are its keys."""
    for step in path:
        if step == EACH_ITEM and isinstance(value, list | str | Mapping):
            if not value:
                return True
            value = next(iter(value))
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        else:
            return False
    return True


def _hint(read: Read, context: Mapping[str, Any]) -> str:
    """The nearest spelling among the names beside the one that is missing, else anywhere at the top."""
    value: Any = context
    for place, step in enumerate(read.path):
        if not _has(value, [step]):
            beside = value if isinstance(value, Mapping) else {}
            near = difflib.get_close_matches(step, [name for name in beside if isinstance(name, str)], n=1)
            meant = ".".join([*read.path[:place], *near]).replace(f".{EACH_ITEM}", EACH_ITEM)
            return f' Did you mean "{meant}"?' if near else ""
        value = next(iter(value)) if step == EACH_ITEM else value[step]
    return ""


def _alone(text: Text) -> dict[str, Text]:
    """Each part that has words as a text of its own, so that no fault of one hides another part."""
    alone: dict[str, Text] = {}
    for place, part in enumerate(PARTS):
        if text[place]:
            subject, body, html = (text[place] if place == at else "" for at in range(len(PARTS)))
            alone[part] = (subject, body, html)
    return alone


def _short_enough(text: Text) -> tuple[dict[str, Text], list[Flaw]]:
    alone = _alone(text)
    long = [part for part, one in alone.items() if len("".join(one)) > MAX_SOURCE]
    flaws = [Flaw(part, 0, f"longer than {MAX_SOURCE:,} characters") for part in long]
    return {part: one for part, one in alone.items() if part not in long}, flaws
