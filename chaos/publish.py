"""Table and chart of a run, in its folder and, when told, in docs/reliability.md."""

from collections.abc import Sequence
from pathlib import Path

from bench import machine
from chaos.report import table
from chaos.timeline import Timeline
from chaos.verdict import Outcome
from dev.console import progress
from dev.paths import ROOT

PAGE, CHART = ROOT / "docs" / "reliability.md", ROOT / "docs" / "charts" / "chaos.svg"
BEGIN, END = "<!-- figures: written by chaos.run -->", "<!-- end of figures -->"


def draw(outcomes: Sequence[Outcome], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(Timeline(outcomes).svg)


def write(outcomes: Sequence[Outcome]) -> None:
    draw(outcomes, CHART)
    facts = ", ".join(f"{name} {value}" for name, value in machine.description().items())
    chart = f"![Messages a second while everything is broken](charts/{CHART.name})"
    text = "\n\n".join([f"Seed {outcomes[0].seed}, measured on: {facts}.", chart, table(outcomes)])
    page = PAGE.read_text()
    PAGE.write_text(f"{page.split(BEGIN)[0]}{BEGIN}\n\n{text}\n\n{END}{page.split(END)[1]}")
    progress(f"Wrote {PAGE.relative_to(ROOT)} and {CHART.relative_to(ROOT)}")
