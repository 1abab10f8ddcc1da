"""What the receivers wrote down since a moment, and what of it was sent more often than anybody can explain."""

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SILENT = frozenset({"hang", "reset", "lost"})  # taken, and the sender never heard of it
UNKNOWN = uuid.NAMESPACE_URL
Receipt = dict[str, Any]


def since(record: Path, offset: int, ids: Mapping[str, str]) -> list[Receipt]:
    """From that byte on. `ids`: of chat messages, which come under the key of the request they were asked for with."""
    with record.open("rb") as lines:
        lines.seek(offset)
        return [named(json.loads(line), ids) for line in lines if line.endswith(b"\n")]


def named(receipt: Receipt, ids: Mapping[str, str]) -> Receipt:
    if receipt["channel"] != "slack":
        return receipt
    known = ids.get(receipt["id"]) or str(uuid.uuid5(UNKNOWN, receipt["id"]))  # the audit will say that nobody knows it
    return receipt | {"id": known}


def write(receipts: Iterable[Receipt], path: Path) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in receipts))
    return path


def unexplained(receipts: Sequence[Receipt], claims: Iterable[tuple[str, int]]) -> int:
    """Extra sends beyond one for each time that something held the message when it was struck, and one for each time
    that a receiver took it in silence."""
    taken = Counter(one["id"] for one in receipts if one["taken"])
    allowed = Counter(held for held, _ in set(claims))
    allowed.update(one["id"] for one in receipts if one["fate"] in SILENT)
    return sum(_beyond(taken, allowed))


def _beyond(taken: Counter[str], allowed: Counter[str]) -> Iterator[int]:
    for one, times in taken.items():
        yield max(0, times - 1 - allowed[one])
