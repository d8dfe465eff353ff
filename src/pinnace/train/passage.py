"""What the loop shows of each chunk of steps, and what those who look at it may answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pinnace.step import Recipe, State, run_chunk
from pinnace.train.history import Layout


class Outcome(Enum):
    """How a run ended; the value is a sentence for people."""

    DONE = "all steps were taken"
    STOPPED = "a callback stopped the run"
    BELOW = "a value fell below its goal"
    PATIENCE = "a value has not improved for as long as was allowed"
    TIME = "the time was up"
    INTERRUPTED = "interrupted by Ctrl-C; the run so far is kept"
    NONFINITE = "a loss was no longer finite; the parameters are those of the last step whose losses were"


@dataclass(frozen=True)
class Track:
    """The steps of one run as a pure function: where a state leads, and what is logged on the way."""

    recipe: Recipe
    numbers: PyTree
    layout: Layout

    def passage(self, start: State, count: int) -> "Passage":
        """So many steps from a state, or fewer: up to the first that is not finite, and as many as a log holds."""
        chunk = run_chunk(self.recipe, self.numbers, start, np.asarray(count, jnp.result_type(int)))
        rows = jax.tree.map(np.asarray, chunk.rows)
        found = (int(start.step), int(chunk.count), bool(chunk.finite), bool(chunk.sound))
        return Passage(self, start, chunk.state, *found, rows)

    def after(self, start: State, count: int) -> State:
        """The state after so many steps, which are all finite; bit for bit the same each time."""
        state, left = start, count
        while left > 0:
            taken = self.passage(state, left)
            state, left = taken.end, left - taken.count
        return state


@dataclass(frozen=True)
class Passage:
    """Some steps that were taken: from which state, to which, and what was logged. Nobody changes it."""

    track: Track
    start: State
    end: State
    """After the last step; of no use where that was not finite."""
    first: int
    count: int
    finite: bool
    """Whether losses, weights and rates of all steps were."""
    sound: bool
    """Whether the parameters after the last step are finite."""
    rows: Any

    @property
    def stop(self) -> int:
        """The step behind the last one."""
        return self.first + self.count

    @cached_property
    def columns(self) -> Sequence[tuple[str, int, np.ndarray]]:
        """(name, every, values) of what was logged, one value for each of the steps."""
        return [(name, every, values[: self.count]) for name, every, values in self.track.layout.columns(self.rows)]

    @property
    def newest(self) -> dict[str, Any]:
        """What the last step logged, rare trackers left out."""
        return {name: values[-1] for name, every, values in self.columns if every == 1}

    def logged(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The steps at which a name was logged, and its values there."""
        every, values = next((every, values) for known, every, values in self.columns if known == name)
        steps = np.arange(self.first, self.stop)
        due = steps % every == 0
        return steps[due], values[due]

    def state_at(self, step: int) -> State:
        """The state before a step of this passage, or after its last, if that was finite."""
        if step == self.stop and self.finite:
            return self.end
        return self.track.after(self.start, step - self.first)

    def up_to(self, step: int) -> "Passage":
        """The part of it whose last row is that of a step; it leads nowhere."""
        return replace(self, count=step + 1 - self.first, finite=False)


@dataclass(frozen=True)
class Ending:
    """How a run ends, and why."""

    outcome: Outcome
    message: str


class Witness(Protocol):
    """Looks at a run between its chunks: everything that a run does beside its steps is one."""

    def look(self, passage: Passage) -> Ending | None:
        """What was taken and logged since the last look; an answer ends the run."""
        ...


class Judge(Protocol):
    """Says at which step a run should end, from what was logged alone; so it ends there in every process and resume."""

    def judge(self, passage: Passage) -> tuple[int, Ending] | None:
        """The step of the row that ends the run; the state will be that of this row."""
        ...
