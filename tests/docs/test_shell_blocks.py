"""What the documentation prints is typed into a shell, beside a running product."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.shell_blocks import Block, blocks_of, script_of
from tests.mission.product import Product, product

ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [(path, block) for path in FILES for block in blocks_of(path)]
RUN = [path for path in FILES if any(p == path and not b.not_run for p, b in BLOCKS)]
NOT_RUN = [(path, block) for path, block in BLOCKS if block.not_run]
SECONDS = 30
# Fails unless the status is of the family that the block announces.
CURL = """#!/bin/sh
status=$({curl} --output /dev/fd/3 --write-out '%{{http_code}}' "$@") 3>&1 || exit
case $status in
  $ANSWERS??) ;;
  *) echo "curl answered $status" >&2; exit 22 ;;
esac
"""
pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("docs")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("a running product needs PostgreSQL: use make test")
    with product(tmp_path_factory.mktemp("docs")) as one:
        yield one


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_shell_blocks_work_as_printed(path: Path, running: Product, tmp_path: Path) -> None:
    _, sandbox = running.tenant()
    script = script_of(path).replace("http://127.0.0.1:8000", running.url).replace("sk_test_…", sandbox.key)
    (tmp_path / path.name).write_text(script)

    done = typed(tmp_path / path.name, tmp_path, METRICS_TOKEN=running.stack.env["METRICS_TOKEN"])

    assert done.returncode == 0, f"{path.relative_to(ROOT)}\n{done.stdout[-4_000:]}"


@pytest.mark.parametrize(("path", "block"), NOT_RUN, ids=[f"{path.name}:{block.line}" for path, block in NOT_RUN])
def test_block_that_is_not_run_says_why(path: Path, block: Block) -> None:
    pytest.skip(f"{path.name}:{block.line} is not run: {block.not_run}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_block_with_curl_is_a_shell_block(path: Path) -> None:
    fences = re.findall(r"^```(\w*)\n(.*?)^```", path.read_text(), flags=re.DOTALL | re.MULTILINE)

    assert [language for language, body in fences if "curl " in body and language != "sh"] == []


def typed(script: Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Output and errors as a reader would see them, one after the other."""
    shim = folder / "bin/curl"
    shim.parent.mkdir()
    shim.write_text(CURL.format(curl=shutil.which("curl")))
    shim.chmod(0o755)
    env = os.environ | variables | {"PATH": f"{shim.parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", script],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
