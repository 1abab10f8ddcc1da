"""A run over time as SVG: accepted and received a second as curves, each blow as a line."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

from bench.svg import FONT, GRID, PAPER, SOFT, nice, text
from chaos.verdict import Outcome

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1_100, 330, 60, 20, 92, 48
ACCEPTED, RECEIVED, BLOW = "#2563eb", "#0d9488", "#dc2626"
BAND = "#f3f4f6"
LEGEND = (("accepted", ACCEPTED), ("received", RECEIVED), ("a blow", BLOW))
CURVES = 200  # points at most, so that a long run stays readable


@dataclass(frozen=True)
class Timeline:
    """The outcomes one after the other, whenever they were taken."""

    taken: Sequence[Outcome]

    @cached_property
    def outcomes(self) -> Sequence[Outcome]:
        return list(end_to_end(self.taken))

    @property
    def svg(self) -> str:
        title = "Messages a second while everything is broken"
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' "
            f"height='{HEIGHT}' role='img' {FONT}>\n<title>{title}</title>\n"
            f"<rect width='{WIDTH}' height='{HEIGHT}' rx='8' fill='{PAPER}' stroke='{GRID}'/>\n"
            + "\n".join([*self._head(title), *self._scenarios(), *self._scale(), *self._curves()])
            + "\n</svg>\n"
        )

    @property
    def _began(self) -> float:
        return self.outcomes[0].began

    @cached_property
    def _seconds(self) -> float:
        return max(1.0, self.outcomes[-1].ended - self._began)

    @cached_property
    def _step(self) -> float:
        return max(1.0, self._seconds / CURVES)

    def _rates(self, moments: Iterable[float]) -> list[float]:
        """By step, messages a second."""
        counts = Counter(int((moment - self._began) / self._step) for moment in moments)
        return [counts[at] / self._step for at in range(int(self._seconds / self._step) + 1)]

    @cached_property
    def _series(self) -> list[tuple[str, list[float]]]:
        accepted = self._rates(moment for one in self.outcomes for moment in one.accepted)
        received = self._rates(moment for one in self.outcomes for moment in one.received)
        return [(RECEIVED, received), (ACCEPTED, accepted)]

    @cached_property
    def _top(self) -> float:
        return nice(max((rate for _, rates in self._series for rate in rates), default=1.0))

    def _x(self, moment: float) -> float:
        return LEFT + (moment - self._began) / self._seconds * (WIDTH - LEFT - RIGHT)

    def _y(self, rate: float) -> float:
        return HEIGHT - BOTTOM - rate / self._top * (HEIGHT - TOP - BOTTOM)

    def _head(self, title: str) -> Iterable[str]:
        yield text(24, 30, title, size=17, weight=600)
        for at, (name, colour) in enumerate(LEGEND):
            yield f"<rect x='{24 + 110 * at}' y='43' width='12' height='12' rx='2' fill='{colour}'/>"
            yield text(42 + 110 * at, 53, name, size=12, colour=SOFT)

    def _scenarios(self) -> Iterable[str]:
        """A band for each, its name slanted where it begins, and its blows."""
        bottom = HEIGHT - BOTTOM
        for at, one in enumerate(self.outcomes):
            x, end = self._x(one.began), self._x(one.ended)
            if at % 2 == 0:
                size = f"width='{end - x:.1f}' height='{bottom - TOP}'"
                yield f"<rect x='{x:.1f}' y='{TOP}' {size} fill='{BAND}'/>"
            yield f"<g transform='translate({x + 3:.1f} {TOP - 5}) rotate(-12)'>{text(0, 0, one.scenario, size=10)}</g>"
            for blow in one.blows:
                told = f"<title>{escape(blow.what)}</title>"
                yield line(self._x(blow.at), TOP, to=(self._x(blow.at), bottom), colour=BLOW, inside=told)

    def _scale(self) -> Iterable[str]:
        for step in range(5):
            rate = self._top * step / 4
            y = self._y(rate)
            yield line(LEFT, y, to=(WIDTH - RIGHT, y), colour=GRID)
            yield text(LEFT - 8, y + 4, f"{rate:,.6g}", size=11, colour=SOFT, anchor="end")
        for step in range(7):
            seconds = self._seconds * step / 6
            x = self._x(self._began + seconds)
            yield text(x, HEIGHT - 26, f"{seconds:.0f}", size=11, colour=SOFT, anchor="middle")
        yield text(WIDTH / 2, HEIGHT - 8, "seconds", size=12, colour=SOFT, anchor="middle")

    def _curves(self) -> Iterable[str]:
        for colour, rates in self._series:
            points = " ".join(
                f"{self._x(self._began + at * self._step):.1f},{self._y(rate):.1f}" for at, rate in enumerate(rates)
            )
            yield f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.6'/>"


def end_to_end(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """As if each had begun when the one before it ended."""
    at = outcomes[0].began if outcomes else 0.0
    for one in outcomes:
        by = at - one.began
        yield replace(
            one,
            began=one.began + by,
            ended=one.ended + by,
            accepted=[moment + by for moment in one.accepted],
            received=[moment + by for moment in one.received],
            blows=[replace(blow, at=blow.at + by) for blow in one.blows],
        )
        at = one.ended + by


def line(x: float, y: float, *, to: tuple[float, float], colour: str, inside: str = "") -> str:
    opacity = " stroke-opacity='0.35'" if colour == BLOW else ""
    return (
        f"<line x1='{x:.1f}' y1='{y:.1f}' x2='{to[0]:.1f}' y2='{to[1]:.1f}' stroke='{colour}'{opacity}>{inside}</line>"
    )
