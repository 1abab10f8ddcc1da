"""PostgreSQL refuses to run as root; here is how it runs all the same, with no user made and no folder opened up."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dev.console import refuse
from dev.environment import write_private

NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """How to start a program that must not be root: a command before it or an identity, and where its data goes."""

    folder: Path
    prefix: tuple[str, ...] = ()
    identity: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def private_file(self, text: str) -> Iterator[Path]:
        """A file for as long as it is needed, readable by the program alone."""
        path = self.folder / "private"
        write_private(path, text)
        if self.identity:
            os.chown(path, self.identity["user"], -1)
        yield path
        path.unlink()


def account_for(program: Path, folder: Path) -> Account:
    """Ourselves; as root a user namespace of one; where those are forbidden (some containers) an unprivileged user."""
    if os.geteuid() != 0:
        return Account(folder)
    if has_user_namespaces():
        return Account(folder, prefix=NAMESPACE)
    return dropped_account(program, folder)


@cache
def has_user_namespaces() -> bool:
    """In a namespace root looks like user 1000 to the program, while files stay root's."""
    return bool(shutil.which("unshare")) and subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0


def dropped_account(program: Path, folder: Path) -> Account:
    user = unprivileged_user()
    identity: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    if not can_run([program, "--version"], identity):
        refuse(
            f"PostgreSQL does not run as root, and {user.pw_name} cannot reach {program}. "
            "Be another user, or set DATABASE_URL."
        )
    own = owned_folder(folder / "unprivileged", user.pw_uid)
    if not can_run(["test", "-w", own], identity):
        own = owned_folder(Path(tempfile.gettempdir()) / f"traffic-control-{fingerprint(folder)}", user.pw_uid)
    return Account(own, identity=identity)


def owned_folder(path: Path, owner: int) -> Path:
    """Make it and give it away. One that is there already must be theirs: in a shared place it could be a trap."""
    try:
        path.mkdir(mode=0o700)
        os.chown(path, owner, -1)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
            refuse(f"{path} belongs to somebody else; remove it and try again.")
    return path


def fingerprint(folder: Path) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def unprivileged_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return pwd.getpwuid(NOBODY)


def can_run(command: list[str | Path], identity: dict[str, Any]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, cwd="/", **identity).returncode == 0
    except PermissionError:
        return False
