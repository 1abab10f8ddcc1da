import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dev import bootstrap
from dev.console import Refusal
from dev.paths import ROOT


def test_fingerprint_changes_with_a_lock_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*bootstrap.LOCKS, bootstrap.INSTALLER):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    before = bootstrap.fingerprint()

    with (tmp_path / bootstrap.LOCKS[0]).open("a") as lock:
        lock.write("# one more\n")

    assert bootstrap.fingerprint() != before


def test_make_venv_without_ensurepip_and_pip_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "find_spec", lambda name: None)

    with pytest.raises(Refusal, match=r"apt install python3\.\d+-venv"):
        bootstrap.make_venv()


def test_lock_files_name_no_index() -> None:
    text = "".join((ROOT / name).read_text() for name in (*bootstrap.LOCKS, bootstrap.INSTALLER))

    assert "://" not in text
    assert "--hash=sha256:" in text


def test_dev_py_turns_an_old_python_away() -> None:
    script = f"import sys; sys.version_info = (3, 10, 4); exec(open({str(ROOT / 'dev.py')!r}).read())"

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["Traffic Control needs Python 3.11 or newer; this is 3.10. Try: make PYTHON=python3.11"],
    )


def test_help_names_every_target_of_the_makefile() -> None:
    done = subprocess.run([sys.executable, "dev.py", "help"], cwd=ROOT, capture_output=True, text=True)

    [targets] = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("COMMANDS")]
    for target in targets.partition("=")[2].split():
        assert f"make {target}" in done.stdout
