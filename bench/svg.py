"""Bar charts as SVG, drawn by hand: no library, no script, readable on a light and on a dark page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABELS, NOTES, MARGIN = 860, 250, 130, 24
BAR, GAP, GROUP_GAP, HEAD, FOOT = 16, 3, 16, 76, 46
FONT = "font-family='system-ui, Segoe UI, Helvetica, Arial, sans-serif'"
INK, SOFT, GRID, PAPER = "#1f2937", "#6b7280", "#e5e7eb", "#ffffff"


@dataclass(frozen=True)
class Piece:
    """A part of a bar."""

    series: str
    value: float


@dataclass(frozen=True)
class Bar:
    """`note`: what stands behind it, such as "1,234"."""

    pieces: Sequence[Piece]
    note: str

    @property
    def value(self) -> float:
        return sum(piece.value for piece in self.pieces)


@dataclass(frozen=True)
class Row:
    """Bars under one label, one below the other."""

    label: str
    bars: Sequence[Bar]

    @property
    def height(self) -> int:
        return len(self.bars) * (BAR + GAP) - GAP


@dataclass(frozen=True)
class Chart:
    """Horizontal bars over a scale that begins at zero. `colours`: of each series, in the order of the legend."""

    title: str
    unit: str
    rows: Sequence[Row]
    colours: dict[str, str]

    @property
    def svg(self) -> str:
        height = HEAD + sum(row.height + GROUP_GAP for row in self.rows) + FOOT
        parts = [*self._head(), *self._grid(height), *self._bars()]
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' "
            f"role='img' {FONT}>\n<title>{escape(self.title)}</title>\n"
            f"<rect width='{WIDTH}' height='{height}' rx='8' fill='{PAPER}' stroke='{GRID}'/>\n"
            + "\n".join(parts)
            + "\n</svg>\n"
        )

    @property
    def _scale_end(self) -> float:
        return nice(max((bar.value for row in self.rows for bar in row.bars), default=1.0))

    def _x(self, value: float) -> float:
        return LABELS + value / self._scale_end * (WIDTH - LABELS - NOTES)

    def _head(self) -> Iterable[str]:
        yield text(MARGIN, 32, self.title, size=17, weight=600)
        x = float(MARGIN)
        for series, colour in self.colours.items():
            yield f"<rect x='{x:.0f}' y='47' width='12' height='12' rx='2' fill='{colour}'/>"
            yield text(x + 18, 57, series, size=12, colour=SOFT)
            x += 18 + 6.8 * len(series) + 22

    def _grid(self, height: int) -> Iterable[str]:
        bottom = height - FOOT + 4
        for step in range(5):
            value = self._scale_end * step / 4
            x = self._x(value)
            yield f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{HEAD - 6}' y2='{bottom}' stroke='{GRID}'/>"
            yield text(x, bottom + 16, f"{value:,.6g}", size=11, colour=SOFT, anchor="middle")
        yield text((LABELS + WIDTH - NOTES) / 2, bottom + 33, self.unit, size=12, colour=SOFT, anchor="middle")

    def _bars(self) -> Iterable[str]:
        y = HEAD
        for row in self.rows:
            yield text(LABELS - 12, y + row.height / 2 + 4, row.label, size=13, anchor="end")
            for at, bar in enumerate(row.bars):
                yield from self._bar(bar, y + at * (BAR + GAP))
            y += row.height + GROUP_GAP

    def _bar(self, bar: Bar, y: int) -> Iterable[str]:
        end = 0.0
        for piece in bar.pieces:
            x, width = self._x(end), max(1.0, self._x(end + piece.value) - self._x(end))
            yield (
                f"<rect x='{x:.1f}' y='{y}' width='{width:.1f}' height='{BAR}' fill='{self.colours[piece.series]}'>"
                f"<title>{escape(piece.series)}: {piece.value:,.3g}</title></rect>"
            )
            end += piece.value
        yield text(self._x(end) + 7, y + 12.5, bar.note, size=12)


def text(
    x: float, y: float, words: str, *, size: int, colour: str = INK, anchor: str = "start", weight: int = 400
) -> str:
    style = f"font-size='{size}' fill='{colour}' text-anchor='{anchor}' font-weight='{weight}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(words)}</text>"


def nice(value: float) -> float:
    """The next round number that is not smaller."""
    magnitude = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 0.01
    while magnitude * 10 <= value:
        magnitude *= 10
    return next(step * magnitude for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * magnitude >= value)
