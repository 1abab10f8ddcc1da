"""The samples of a soak as SVG: one panel for each kind of value, a curve for each value in it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.svg import FONT, GRID, PAPER, SOFT, nice, text
from chaos.gauges import KINDS, Kind, Sample

WIDTH, PANEL, LEFT, RIGHT, HEAD, GAP = 900, 150, 70, 210, 40, 40
COLOURS = ("#2563eb", "#0d9488", "#dc2626", "#f59e0b", "#a855f7", "#64748b", "#84cc16", "#ec4899")


@dataclass(frozen=True)
class Curves:
    samples: Sequence[Sample]

    @property
    def svg(self) -> str:
        height = HEAD + len(KINDS) * (PANEL + GAP)
        panels = [part for at, kind in enumerate(KINDS) for part in self._panel(kind, HEAD + at * (PANEL + GAP))]
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' "
            f"height='{height}' role='img' {FONT}>\n<title>What must stay flat</title>\n"
            f"<rect width='{WIDTH}' height='{height}' rx='8' fill='{PAPER}' stroke='{GRID}'/>\n"
            + "\n".join(panels)
            + "\n</svg>\n"
        )

    def _panel(self, kind: Kind, top: float) -> Iterable[str]:
        series = self._series(kind)
        highest = nice(max((value for points in series.values() for _, value in points), default=1.0))
        yield text(LEFT, top - 8, kind.unit, size=13, weight=600)
        for step in (0.0, 0.5, 1.0):
            y = top + PANEL * (1 - step)
            yield f"<line x1='{LEFT}' y1='{y:.1f}' x2='{WIDTH - RIGHT}' y2='{y:.1f}' stroke='{GRID}'/>"
            yield text(LEFT - 8, y + 4, f"{highest * step:,.4g}", size=11, colour=SOFT, anchor="end")
        for at, (name, points) in enumerate(series.items()):
            colour = COLOURS[at % len(COLOURS)]
            line = " ".join(f"{self._x(moment):.1f},{top + PANEL * (1 - v / highest):.1f}" for moment, v in points)
            yield f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='1.6'/>"
            yield text(WIDTH - RIGHT + 12, top + 10 + 14 * at, name, size=10, colour=colour)

    def _series(self, kind: Kind) -> dict[str, list[tuple[float, float]]]:
        series: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for one in self.samples:
            for name, value in one.values.items():
                if name.endswith(kind.unit):
                    series[name.partition(":")[0]].append((one.at, value))
        return series

    def _x(self, moment: float) -> float:
        began, ended = self.samples[0].at, self.samples[-1].at
        return LEFT + (moment - began) / max(1.0, ended - began) * (WIDTH - LEFT - RIGHT)
