import os
from pathlib import Path

import pytest

from dev import unprivileged
from dev.console import Refusal
from dev.unprivileged import Account, account_for, owned_folder


def test_account_of_a_plain_user_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert account_for(Path("/bin/true"), tmp_path) == Account(tmp_path)


def test_account_of_root_is_a_namespace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(unprivileged, "has_user_namespaces", lambda: True)

    assert account_for(Path("/bin/true"), tmp_path).prefix[:2] == ("unshare", "--user")


def test_owned_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trap").symlink_to("/")

    with pytest.raises(Refusal, match="belongs to somebody else"):
        owned_folder(tmp_path / "trap", os.getuid())
