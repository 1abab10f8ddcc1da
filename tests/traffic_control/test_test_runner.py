import os
import subprocess
import sys
from pathlib import Path

import pytest

from traffic_control.test_runner import PytestRunner, place_of

ROOT = Path(__file__).resolve().parents[2]
HERE = "tests/traffic_control/test_test_runner.py"


@pytest.mark.parametrize(
    ("label", "place"),
    [
        ("tests", "tests"),
        ("tenants", "tests/tenants"),
        ("tests.tenants.test_keys", "tests/tenants/test_keys.py"),
        ("tenants.test_keys.test_issue", "tests/tenants/test_keys.py::test_issue"),
        ("tenants.test_keys.Keys.test_issue", "tests/tenants/test_keys.py::Keys::test_issue"),
        ("tests/tenants/", "tests/tenants"),
        ("tests/tenants/test_keys.py::test_issue", "tests/tenants/test_keys.py::test_issue"),
    ],
)
def test_place_of_what_django_calls_it(label: str, place: str) -> None:
    assert place_of(label) == str(ROOT / place)


def test_place_of_a_label_that_leads_nowhere_is_left_to_pytest() -> None:
    assert place_of("tests.nothing.test_x") == "tests.nothing.test_x"


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({}, []),
        ({"verbosity": 0, "failfast": True, "keepdb": True}, ["-q", "-x", "--reuse-db"]),
        ({"parallel": "1"}, ["-n", "0"]),
        ({"parallel": "4", "patterns": ["retry", "lease"]}, ["-n", "4", "-k", "retry or lease"]),
        ({"pytest": "--lf -k 'a or b'"}, ["--lf", "-k", "a or b"]),
    ],
)
def test_options_of_django_become_those_of_pytest(given, options) -> None:
    assert PytestRunner(**given).options == options


@pytest.mark.parametrize(
    ("label", "code", "words"),
    [
        (f"{HERE}::test_place_of_a_label_that_leads_nowhere_is_left_to_pytest", 0, "1 passed"),
        ("tests.nothing", 4, "file or directory not found: tests.nothing"),
    ],
)
def test_manage_test_runs_pytest_and_ends_with_its_code(label: str, code: int, words: str) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    done = subprocess.run(
        [sys.executable, "manage.py", "test", "--parallel", "1", "--pytest=-p no:cacheprovider", label],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )

    assert words in done.stdout + done.stderr
    assert done.returncode == code
