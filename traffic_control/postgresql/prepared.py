"""Statements that each connection parses and plans once: half of what PostgreSQL spends on a single-row INSERT."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

UNKNOWN_HERE = "26000"  # a pooler has given the session to another server connection...
KNOWN_HERE = "42P05"  # ... which a session of ours had before


@dataclass(frozen=True)
class Statement:
    """SQL with `%s` for its values. `types` of the first of them; PostgreSQL infers the others."""

    sql: str
    types: Sequence[str] = ()

    @cached_property
    def name(self) -> str:
        """The same in every process, and another one for other SQL."""
        return f"tc_{hashlib.blake2b(self.sql.encode(), digest_size=8).hexdigest()}"

    @cached_property
    def prepare(self) -> str:
        first, *rest = self.sql.split("%s")
        numbered = "".join(f"${number}{part}" for number, part in enumerate(rest, start=1))
        return f"PREPARE {self.name} ({', '.join(self.types)}) AS {first}{numbered}"

    @cached_property
    def execute(self) -> str:
        return f"EXECUTE {self.name} ({', '.join(['%s'] * self.sql.count('%s'))})"
