"""UUIDv7 (RFC 9562): ids ordered by time, so that one index on the primary key serves every list."""

import hashlib
import uuid
from datetime import datetime

import uuid_utils.compat


def uuid7() -> uuid.UUID:
    return uuid_utils.compat.uuid7()


def derived_uuid7(parent: uuid.UUID, *parts: str) -> uuid.UUID:
    """The id of the one child of `parent` that `parts` name: same time bits, the rest a hash of both.

    Making the same child twice gives the same id, so a primary key is all that exactly-once creation needs.
    """
    digest = hashlib.blake2b("\x00".join(parts).encode(), key=parent.bytes, digest_size=10).digest()
    value = (parent.int >> 80 << 80) | int.from_bytes(digest)
    value = value & ~(0xF << 76) | (7 << 76)
    return uuid.UUID(int=value & ~(0x3 << 62) | (0x2 << 62))


def children_of(parent: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    """The range, both ends included, that holds whatever `derived_uuid7` makes of it."""
    first = parent.int >> 80 << 80
    return uuid.UUID(int=first), uuid.UUID(int=first | (1 << 80) - 1)


def time_of(row_id: uuid.UUID) -> float:
    """When a UUIDv7 was made, as a POSIX time to the millisecond."""
    return (row_id.int >> 80) / 1000


def uuid7_at(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of that millisecond: a bound for time filters over ids."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
