"""Balancers against each other: on the same points and first networks, in turn, with medians and ranges."""

import csv
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Self

from pinnace import Outcome, PinnaceError
from pinnace.train import Run
from pinnace.zoo.problem import Case, Problem
from pinnace.zoo.settings import SettingError

REFUSED = "refused"
"""The outcome of a balancer that cannot weigh the losses of this problem."""
Watch = Callable[[str, int, int], Any]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a comparison; `error` is not a number where it failed."""

    problem: str
    balancer: str
    seed: int
    steps: int
    outcome: str
    error: float = math.nan
    step_seconds: float = math.nan
    """Time of a step, without that of compiling."""
    seconds: float = math.nan
    message: str = ""
    losses: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether there is no error to compare."""
        return not math.isfinite(self.error)

    def row(self) -> dict[str, Any]:
        """The run as a row of a table; the last losses and weights have columns of their own."""
        plain = {name: value for name, value in vars(self).items() if name not in ("losses", "weights")}
        return plain | _columns("loss", self.losses) | _columns("w", self.weights)

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> Self:
        """The run of a row.

        Raises SettingError for a row of something else.
        """
        try:
            return cls(
                problem=row["problem"],
                balancer=row["balancer"],
                seed=int(row["seed"]),
                steps=int(row["steps"]),
                outcome=row["outcome"],
                error=float(row["error"]),
                step_seconds=float(row["step_seconds"]),
                seconds=float(row["seconds"]),
                message=row["message"],
                losses=_read("loss", row),
                weights=_read("w", row),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as wrong:
            raise SettingError(f"this is no row of a comparison ({wrong}): {dict(row)}") from None


@dataclass(frozen=True)
class Summary:
    """What all runs of one balancer say together; a run that failed counts as an infinite error."""

    balancer: str
    errors: tuple[float, ...]
    """Of each run, from the best."""
    step_seconds: float
    weights: Mapping[str, float]
    """The median of the last ones."""

    @property
    def median(self) -> float:
        """The median error."""
        return median(self.errors)

    @property
    def failed(self) -> int:
        """How many runs have no error."""
        return sum(map(math.isinf, self.errors))


def compare(
    problem: Problem,
    balancers: Sequence[str],
    seeds: Iterable[int],
    *,
    done: Iterable[tuple[str, int]] = (),
    watch: Watch = lambda balancer, seed, steps: None,
) -> Iterator[Trial]:
    """Solve a problem with each balancer from each seed; runs come one by one, as they end.

    A run is what `pinnace solve` gives for its balancer and seed. The balancers take turns, another one first in each
    round, so that a busy moment of the machine slows all of them. "fixed" without numbers has weights of 1. `done` are
    pairs (balancer, seed) that are left out; `watch(balancer, seed, steps so far)` is called between chunks. A run
    whose losses do not stay finite is a trial that failed. Raises SettingError or BalanceError for what is no balancer,
    before anything runs, and KeyboardInterrupt where a run was interrupted.

    >>> from pinnace import zoo
    >>> problem = zoo.Poisson(steps=3, points=16, width=4, conditions="soft")
    >>> [trial.balancer for trial in compare(problem, ["none", "equal_init"], seeds=[0])]
    ['none', 'equal_init']
    """
    problems = {name: replace(problem, balancer=full(name)) for name in balancers}
    return _trials(problems, list(seeds), frozenset(done), watch)


def full(balancer: str) -> str:
    """The balancer as `pinnace solve` takes it: "fixed" alone has weights of 1."""
    return "fixed(weights=1)" if balancer.strip() == "fixed" else balancer


def _trials(
    problems: Mapping[str, Problem], seeds: Sequence[int], done: frozenset[tuple[str, int]], watch: Watch
) -> Iterator[Trial]:
    cases: dict[str, Case] = {}
    names = list(problems)
    for k, seed in enumerate(seeds):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            if (name, seed) in done:
                continue
            about = {"problem": problems[name].name, "balancer": name, "seed": seed}
            try:
                if name in cases:
                    cases[name].restart(seed)
                else:
                    cases[name] = problems[name].build(seed)
            except PinnaceError as wrong:
                yield Trial(**about, steps=0, outcome=REFUSED, message=" ".join(str(wrong).split()))
                continue
            yield _trial(cases[name], about, partial(_look, watch, name, seed))


def _look(watch: Watch, balancer: str, seed: int, run: Run) -> None:
    watch(balancer, seed, run.steps)


def _trial(case: Case, about: Mapping[str, Any], watch: Callable[[Run], Any]) -> Trial:
    clock = Clock()
    began = time.perf_counter()
    run = case.solve(progress=False, callbacks=(clock, watch))
    if run.outcome is Outcome.INTERRUPTED:
        raise KeyboardInterrupt
    finite = run.outcome is Outcome.DONE
    losses = {name: float(run.history[name][-1]) for name in run.losses if run.steps}
    weights = dict.fromkeys(case.posed.names, 1.0)
    weights |= {name[2:-1]: float(run.history[name][-1]) for name in run.weights if run.steps}
    return Trial(
        **about,
        steps=run.steps,
        outcome=run.outcome.name.lower(),
        error=case.error if finite else math.nan,
        step_seconds=clock.step_seconds,
        seconds=time.perf_counter() - began,
        message="" if finite else run.message,
        losses=losses,
        weights=weights,
    )


class Clock:
    """Looks at the time between chunks. The first chunk does not count: it compiles."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None
        self._last = (0.0, 0)

    def __call__(self, run: Run) -> None:
        """Called between chunks."""
        self._last = time.perf_counter(), run.steps
        self._first = self._first or self._last

    @property
    def step_seconds(self) -> float:
        """Seconds a step; not a number where there was but one chunk."""
        if self._first is None or self._last[1] == self._first[1]:
            return math.nan
        return (self._last[0] - self._first[0]) / (self._last[1] - self._first[1])


def summaries(trials: Sequence[Trial]) -> list[Summary]:
    """One summary a balancer, from the smallest median error."""
    found = []
    for name in dict.fromkeys(trial.balancer for trial in trials):
        runs = [trial for trial in trials if trial.balancer == name]
        errors = sorted(math.inf if run.failed else run.error for run in runs)
        times = [run.step_seconds for run in runs if math.isfinite(run.step_seconds)]
        losses = dict.fromkeys(loss for run in runs for loss in run.weights)
        weights = {loss: median(run.weights[loss] for run in runs if loss in run.weights) for loss in losses}
        found.append(Summary(name, tuple(errors), median(times) if times else math.nan, weights))
    return sorted(found, key=lambda one: one.median)


def write_trials(path: Path, trials: Sequence[Trial]) -> None:
    """All runs as CSV, the old file replaced by the whole new one."""
    rows = [trial.row() for trial in trials]
    new = path.with_name(f".{path.name}")
    with new.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    os.replace(new, path)


def read_trials(path: Path) -> list[Trial]:
    """The runs that `write_trials` wrote; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [Trial.of_row(row) for row in csv.DictReader(file)]


def _columns(word: str, values: Mapping[str, float]) -> dict[str, float]:
    return {f"{word}({name})": value for name, value in values.items()}


def _read(word: str, row: Mapping[str, str]) -> dict[str, float]:
    named = {name: value for name, value in row.items() if name.startswith(f"{word}(") and value}
    return {name[len(word) + 1 : -1]: float(value) for name, value in named.items()}
