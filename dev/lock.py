"""One `make run` per DEV_DIR."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dev.console import refuse
from dev.waiting import wait_until

PATIENCE = 5.0


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. A run that has just been killed is still being cleared away, so wait a little for it."""
    path = folder / "lock"
    with path.open("a+") as file:
        if not wait_until(lambda: takes(file), seconds=PATIENCE):
            holder = path.read_text().strip()
            refuse(f"Traffic Control already runs in {folder} (process {holder}). Stop that, or set DEV_DIR and PORT.")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        os.set_inheritable(file.fileno(), True)
        yield


def is_held(folder: Path) -> bool:
    """Whether a run is going on in the folder."""
    with (folder / "lock").open("a") as file:
        return not takes(file)


def takes(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
