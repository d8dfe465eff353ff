"""When a run ends before its last step: `crux.solve(20_000, stop=[pn.stop.below("error", 1e-3)])`."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnace._errors import PinnaceError
from pinnace.expr import factory_name
from pinnace.lower import Compiled
from pinnace.train.history import History
from pinnace.train.passage import Ending, Judge, Outcome, Passage, Witness
from pinnace.train.watched import check_watched


class Rule:
    """A reason to end a run. Made by `pn.stop.below`, `pn.stop.patience` and `pn.stop.seconds`."""

    @property
    def watched(self) -> str | None:
        """The name in the history of what it looks at, if it does."""
        return None

    def judge(self, history: History, first: int) -> Judge | None:
        """What applies it to the rows of a run that began at step `first`, after what is in the history."""
        return None

    def witness(self) -> Witness | None:
        """What applies it to a run that begins now, where it does not look at rows."""
        return None


@dataclass(frozen=True)
class Below(Rule):
    """See `below`."""

    name: str
    value: float

    @property
    def watched(self) -> str:
        return self.name

    def judge(self, history: History, first: int) -> Judge:
        return _Judge(self.name, self._reached, Outcome.BELOW)

    def _reached(self, steps: np.ndarray, values: np.ndarray) -> tuple[int, str] | None:
        found = np.flatnonzero(values < self.value)
        if not found.size:
            return None
        at = found[0]
        return int(steps[at]), f'at step {steps[at]} "{self.name}" was {values[at]:.3g}, below {self.value:.3g}'


@dataclass(frozen=True)
class Patience(Rule):
    """See `patience`."""

    name: str
    steps: int
    rtol: float

    @property
    def watched(self) -> str:
        return self.name

    def judge(self, history: History, first: int) -> Judge:
        best, since = np.inf, first
        if self.name in history:
            for step, value in zip(history.steps(self.name), history[self.name], strict=True):
                if self._better(value, best):
                    best, since = float(value), max(int(step), first)
        record = [best, since]

        def exhausted(steps: np.ndarray, values: np.ndarray) -> tuple[int, str] | None:
            for step, value in zip(steps, values, strict=True):
                if self._better(value, record[0]):
                    record[:] = [float(value), int(step)]
                elif step - record[1] >= self.steps:
                    return int(step), f'"{self.name}" has not improved on {record[0]:.3g} since step {record[1]}'
            return None

        return _Judge(self.name, exhausted, Outcome.PATIENCE)

    def _better(self, value: Any, best: float) -> bool:
        return bool(value < best - self.rtol * abs(best)) if np.isfinite(best) else bool(np.isfinite(value))


@dataclass(frozen=True)
class Seconds(Rule):
    """See `seconds`."""

    limit: float

    def witness(self) -> Witness:
        return _Clock(self.limit, time.perf_counter())


@dataclass(frozen=True)
class _Judge:
    name: str
    reached: Callable[[np.ndarray, np.ndarray], tuple[int, str] | None]
    outcome: Outcome

    def judge(self, passage: Passage) -> tuple[int, Ending] | None:
        found = self.reached(*passage.logged(self.name))
        return None if found is None else (found[0], Ending(self.outcome, found[1]))


@dataclass(frozen=True)
class _Clock:
    limit: float
    began: float

    def look(self, passage: Passage) -> Ending | None:
        if time.perf_counter() - self.began < self.limit:
            return None
        return Ending(Outcome.TIME, f"{Outcome.TIME.value}: {self.limit:g} seconds")


def rules_of(stop: Iterable[Rule] | Rule, compiled: Compiled) -> tuple[Rule, ...]:
    """The rules given to `solve`, which look at what is logged there.

    Raises PinnaceError for what is no rule, and for a value that cannot say how good a state is.
    """
    found = (stop,) if isinstance(stop, Rule) else tuple(stop)
    for rule in found:
        if not isinstance(rule, Rule):
            raise PinnaceError(f'stop takes rules such as pn.stop.below("error", 1e-3); got {rule!r}.')
        if rule.watched is not None:
            check_watched(compiled, rule.watched, f"{factory_name(rule)}")
    return found


def below(name: str, value: float) -> Rule:
    """End at the first step at which a raw loss or a tracker is below a value; the state is that of this step.

    `name` is that of the history. Raises PinnaceError for a value that is no number; `solve` does for a name that is
    not logged, and for one that contains weights.

    >>> import pinnace as pn
    >>> pn.stop.below("error", 1e-3)
    Below(name='error', value=0.001)
    """
    return Below(name, _number(value, "value"))


def patience(name: str, steps: int, *, rtol: float = 0.0) -> Rule:
    """End when a raw loss or a tracker has not improved for so many steps.

    It improves where it falls below its best by more than `rtol` times that. Counted from the start of the run or the
    last improvement; a run that is resumed from a checkpoint goes on counting. `best=` of `solve` keeps the best state.

    >>> import pinnace as pn
    >>> pn.stop.patience("error", 2_000)
    Patience(name='error', steps=2000, rtol=0.0)
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise PinnaceError(f"patience is a number of steps, 1 or more; got {steps!r}.")
    if _number(rtol, "rtol") < 0:
        raise PinnaceError(f"rtol is 0 or more; got {rtol!r}.")
    return Patience(name, steps, float(rtol))


def seconds(limit: float) -> Rule:
    """End after so many seconds, when the chunk of steps that is being taken then is complete.

    >>> import pinnace as pn
    >>> pn.stop.seconds(600)
    Seconds(limit=600.0)
    """
    if _number(limit, "the limit") < 0:
        raise PinnaceError(f"a time limit is 0 seconds or more; got {limit!r}.")
    return Seconds(float(limit))


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)) or np.isnan(value):
        raise PinnaceError(f"{what} is a number; got {value!r}.")
    return float(value)
