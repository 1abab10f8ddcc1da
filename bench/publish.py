"""Puts the figures of a run into the documentation: tables between two marks in docs/performance.md, and charts.

python -m bench.publish bench/results/20261121-060000/summary.json
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.charts import charts
from bench.figures import Figure, Peak
from bench.limits import Limit
from bench.tables import tables
from dev.console import progress
from dev.paths import ROOT

PAGE = ROOT / "docs" / "performance.md"
CHARTS = ROOT / "docs" / "charts"
BEGIN, END = "<!-- figures: written by bench.publish -->", "<!-- end of figures -->"


@dataclass(frozen=True)
class Results:
    facts: Mapping[str, str]
    figures: Sequence[Figure]
    peaks: Sequence[Peak]
    limits: Sequence[Limit]


def read(summary: Mapping[str, Any]) -> Results:
    return Results(
        facts=summary["facts"],
        figures=[Figure(**one) for one in summary["figures"]],
        peaks=[Peak(**one) for one in summary["memory"]],
        limits=[Limit(**one) for one in summary["limits"]],
    )


def write(results: Results) -> None:
    """The page with the new figures, and one SVG per chart that there are figures for."""
    CHARTS.mkdir(exist_ok=True)
    drawn = charts(results.figures)
    for name, chart in drawn.items():
        (CHARTS / f"{name}.svg").write_text(chart.svg)
    images = [f"![{chart.title}](charts/{name}.svg)" for name, chart in drawn.items()]
    facts = "Measured on: " + ", ".join(f"{name} {value}" for name, value in results.facts.items()) + "."
    text = "\n\n".join([facts, *images, tables(results.figures, results.peaks, results.limits)])
    page = PAGE.read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    progress(f"Wrote {PAGE.relative_to(ROOT)} and {len(drawn)} charts in {CHARTS.relative_to(ROOT)}")


if __name__ == "__main__":
    write(read(json.loads(Path(sys.argv[1]).read_text())))
