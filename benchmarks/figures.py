"""What was measured, as a value, and whether it meets its target (pure)."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEADER = ("", "What", "Measured", "Target", "", "Beside it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A limit, which itself is still met."""

    at_most: float | None = None
    at_least: float | None = None

    def is_met_by(self, value: float) -> bool:
        """Say whether a value lies within the limits."""
        too_much = self.at_most is not None and value > self.at_most
        too_little = self.at_least is not None and value < self.at_least
        return not too_much and not too_little

    def __str__(self) -> str:
        limits = (("at most", self.at_most), ("at least", self.at_least))
        return ", ".join(f"{word} {value:g}" for word, value in limits if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    part: str
    what: str
    value: float
    unit: str
    target: Target | None = None
    beside: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or nothing where no target was set."""
        if self.target is None:
            return ""
        return "met" if self.target.is_met_by(self.value) else "missed"

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the line."""
        shown = f"{self.value:,.2f}" if self.unit in {"×", "MB"} else f"{self.value:,.0f}"
        target = "" if self.target is None else str(self.target)
        return (self.part, self.what, f"{shown} {self.unit}", target, self.verdict, self.beside)


def missed(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that miss their targets."""
    return [figure for figure in figures if figure.verdict == "missed"]


def ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the ratio of the medians."""
    return statistics.median(ours) / statistics.median(others)


@dataclass(frozen=True, slots=True)
class Line:
    """What a cost is at nothing, and by how much it grows with each thing."""

    fixed: float
    each: float

    def furthest(self, points: Sequence[tuple[float, float]]) -> float:
        """Return by what part of itself the point is off that lies furthest from the line."""
        return max(abs(y - self.fixed - self.each * x) / y for x, y in points)


def fit(points: Sequence[tuple[float, float]]) -> Line:
    """Fit a line whose relative errors are least, so that small tenants count as much as large."""
    weights = [1 / (y * y) for _, y in points]
    total = sum(weights)
    mean_x = sum(w * x for w, (x, _) in zip(weights, points, strict=True)) / total
    mean_y = sum(w * y for w, (_, y) in zip(weights, points, strict=True)) / total
    both = sum(w * (x - mean_x) * (y - mean_y) for w, (x, y) in zip(weights, points, strict=True))
    spread = sum(w * (x - mean_x) ** 2 for w, (x, _) in zip(weights, points, strict=True))
    each = both / spread
    return Line(fixed=mean_y - each * mean_x, each=each)


def as_table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = [HEADER, tuple("---" for _ in HEADER), *(figure.cells() for figure in figures)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
