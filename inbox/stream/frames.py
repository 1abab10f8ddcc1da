"""The wire format of https://html.spec.whatwg.org/multipage/server-sent-events.html, and what we say in it."""

import json
from dataclasses import dataclass, field

REPLAY = 100  # versions; whoever missed more is told to ask for everything
OPENING = b"retry: 3000\n\n"
PING = b": ping\n\n"


@dataclass(frozen=True, slots=True)
class News:
    """How an inbox stands, and what has arrived: (version, id of the message), the oldest first."""

    counts: dict[str, int]
    arrivals: list[tuple[int, str]] = field(default_factory=list)

    @property
    def version(self) -> int:
        return self.counts["version"]


def frame(event: str, data: dict[str, object], *, version: int | None = None) -> bytes:
    known = "" if version is None else f"id: {version}\n"
    return f"{known}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def bye(reason: str) -> bytes:
    """`time`, `expired`, `refused`, `replaced`, `slow` or `restart`."""
    return frame("bye", {"reason": reason})


def frames_since(version: int | None, news: News) -> list[bytes]:
    """What a stream that knows this version is told; None knows nothing, and wants no more than the counts."""
    about: dict[str, object] = {"counts": news.counts}
    if version is None:
        return [frame("counts", about, version=news.version)]
    if version == news.version:
        return []
    if not 0 < news.version - version <= REPLAY:
        return [frame("resync", about, version=news.version)]
    arrived = [(seq, item_id) for seq, item_id in news.arrivals if seq > version]
    told = [frame("notification", {"id": item_id, **about}, version=seq) for seq, item_id in arrived]
    if not arrived or arrived[-1][0] < news.version:
        told.append(frame("counts", about, version=news.version))
    return told
