"""What `solve` returns."""

import inspect
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnace._errors import PinnaceWarning
from pinnace.canvas import given_axes
from pinnace.train.best import Best
from pinnace.train.curves import draw, draw_weights
from pinnace.train.history import History
from pinnace.train.html import run_html
from pinnace.train.passage import Ending, Outcome

PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"


@dataclass
class Run:
    """One call of `solve`: what was logged, how it ended, how long it took.

    `history[name]` has one row a step of this run; `first` is the number of its first step.
    """

    history: History
    first: int
    outcome: Outcome = Outcome.DONE
    message: str = Outcome.DONE.value
    seconds: float = 0.0
    losses: tuple[str, ...] = ()
    """The names of the total and the raw losses."""
    weights: tuple[str, ...] = ()
    """The names of the trackers that log weights."""
    notes: tuple[str, ...] = ()
    """What happened on the way: sentences."""
    best: Best | None = None
    """The best state, where `solve` was asked to keep it."""

    def note(self, sentence: str) -> None:
        """Something that happened, told at once too."""
        self.notes += (sentence,)
        warnings.warn(f"{sentence}.", PinnaceWarning, stacklevel=_to_the_user())

    def end(self, ending: Ending) -> None:
        """How it ended."""
        self.outcome, self.message = ending.outcome, ending.message

    @property
    def steps(self) -> int:
        """How many steps this run logged."""
        return len(self.history["total"]) if "total" in self.history else 0

    def plot(self, axes: Any = None, *, ax: Any = None) -> tuple[Any, Any]:
        """The losses over the steps, and weights, other trackers and rates where they are logged: (figure, axes).

        `ax` (or `axes`) are matplotlib's, to draw into: one takes the losses, several the others after them.
        """
        return draw(self.history, self.losses, self.weights, given_axes(ax, axes))

    def plot_weights(self, axes: Any = None, *, ax: Any = None) -> tuple[Any, Any]:
        """The weights over the steps, and below each times its loss: (figure, axes). One `ax` takes the weights.

        Raises PinnaceError where no weights were logged, by `.tracker()`.
        """
        return draw_weights(self.history, self.losses, self.weights, given_axes(ax, axes))

    def _repr_html_(self) -> str:
        return run_html(
            self.history,
            first=self.first,
            message=self.message,
            seconds=self.seconds,
            losses=self.losses,
            weights=self.weights,
            notes=self.notes,
        )

    def to_dataframe(self) -> Any:
        """What was logged as a pandas.DataFrame, a row a step; see `History.to_dataframe`."""
        return self.history.to_dataframe()

    def __repr__(self) -> str:
        if not self.steps:
            return f"Run of 0 steps: {self.message}"
        total = self.history["total"]
        return (
            f"Run of {self.steps} steps from {self.first} in {self.seconds:.1f} s: total {total[0]:.3g} to "
            f"{total[-1]:.3g}; {self.message}"
        )


def _to_the_user() -> int:
    """How many frames lie between the caller and the first that is not of this package."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    return max(level, 1)
