"""The ```sh blocks of a Markdown file, as a script whose line numbers are the file's.

`<!-- not run: why -->` before a block keeps it from being run; `<!-- answers 4xx -->` says that its calls show errors.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARKER = re.compile(r"<!-- (?:not run: (?P<reason>.+)|answers (?P<family>\d)xx) -->")
PREAMBLE = "set -Eeuo pipefail; trap 'echo \"failed: line $LINENO: $BASH_COMMAND\" >&2' ERR"


@dataclass(frozen=True)
class Block:
    """`line` is that of the opening fence, from 1; `family` the first digit of the status its calls answer with."""

    line: int
    body: tuple[str, ...]
    not_run: str = ""
    family: str = "2"


def blocks_of(path: Path) -> Iterator[Block]:
    lines = path.read_text().splitlines()
    for index, line in enumerate(lines):
        if line == "```sh":
            end = lines.index("```", index)
            found = MARKER.fullmatch(lines[index - 1].strip()) if index else None
            reason, family = (found["reason"] or "", found["family"] or "2") if found else ("", "2")
            yield Block(index + 1, tuple(lines[index + 1 : end]), reason, family)


def script_of(path: Path) -> str:
    """All blocks that run, each where the file has it; a fence says what the calls after it must answer."""
    script = [""] * len(path.read_text().splitlines())
    for block in blocks_of(path):
        if not block.not_run:
            script[block.line - 1] = f"export ANSWERS={block.family}"
            script[block.line : block.line + len(block.body)] = block.body
    script[0] = PREAMBLE
    return "\n".join(script) + "\n"
