"""Timing in turn: every side takes some steps in each round, so that a busy moment of the machine slows all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

SECONDS = 0.35
"""About how long one side works in one round."""


@dataclass(frozen=True)
class Ratio:
    """One side over another, round by round."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 2 if self.median >= 0.1 else 3
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    """The ratios of the rounds, in a median and a range."""
    found = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Ratio(median(found), min(found), max(found))


def interleaved(
    sides: Mapping[str, Callable[[int], float]], rounds: int, seconds: float = SECONDS, most: int = 200
) -> dict[str, list[float]]:
    """Seconds a step of each side in each round; the sides change places from round to round."""
    counts = {}
    for name, steps in sides.items():
        steps(1)
        once = steps(2) / 2
        counts[name] = max(1, min(most, round(seconds / once)))
    found: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for k in range(rounds):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            found[name].append(sides[name](counts[name]) / counts[name])
    return found
