"""One running product for all rows, and a table of their results at the end."""

import os
from collections.abc import Iterator
from typing import Any, cast

import pytest

from tests.mission.product import Product
from tests.mission.product import product as running_product

RESULTS: dict[str, tuple[str, str]] = {}


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("a running product needs PostgreSQL: use make mission")
    with running_product(tmp_path_factory.mktemp("mission")) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All rows share one product, so one worker runs them all (`--dist loadgroup`)."""
    for item in items:
        if "/mission/" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("mission"))
            item.add_marker(pytest.mark.timeout(120))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    row = item.name.removeprefix("test_").split("_")[0].upper()
    if "/mission/" in str(item.path) and (report.when == "call" or report.outcome != "passed"):
        report.user_properties.append(("mission", (row, (item.function.__doc__ or "").strip(), report.outcome)))  # type: ignore[attr-defined]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, value in report.user_properties:
        if name == "mission":
            row, *result = cast(tuple[str, str, str], value)
            RESULTS[row] = (result[0], result[1])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not RESULTS:
        return
    terminalreporter.section("the mission, row by row")
    for row in sorted(RESULTS, key=lambda row: (row[0], int(row[1:]))):
        what, outcome = RESULTS[row]
        terminalreporter.write_line(f"{row:<4} {outcome:<8} {what}")
