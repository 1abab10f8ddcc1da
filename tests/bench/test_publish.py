"""The page keeps what is outside the marks."""

from pathlib import Path

import pytest

from bench import publish
from bench.designs import PLAIN, PRODUCT
from bench.figures import figures
from bench.publish import BEGIN, END, Results
from tests.bench.measurements import EMAIL, measured


def test_write_replaces_what_is_between_the_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    monkeypatch.setattr(publish, "ROOT", tmp_path)
    monkeypatch.setattr(publish, "PAGE", page)
    monkeypatch.setattr(publish, "CHARTS", tmp_path / "charts")
    slices = [measured(design, 100.0, number=n) for n in (1, 2) for design in (PRODUCT, PLAIN)]

    publish.write(Results({"cores": "2"}, figures(slices, [EMAIL]), [], []))

    text = page.read_text()
    assert text.startswith(f"before\n\n{BEGIN}\n\nMeasured on: cores 2.\n\n![")
    assert text.endswith(f"{END}\n\nafter\n")
    assert "old" not in text
    assert "### End to end" in text
    assert sorted(path.name for path in (tmp_path / "charts").iterdir()) == [
        "cpu.svg",
        "delivery.svg",
        "slow-sinks.svg",
    ]


def test_performance_page_has_the_marks_in_order() -> None:
    before, _, rest = publish.PAGE.read_text().partition(BEGIN)

    assert before
    assert rest.count(END) == 1
