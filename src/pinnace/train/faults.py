"""A step that is not finite: which, why, and where to go on from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pinnace.step import State, blame_for_update, clean
from pinnace.train.passage import Outcome, Passage, Track

BACK = 100
"""How many steps a run goes back to try again: a rate that is too large does its harm long before the fault."""
KEPT = Outcome.NONFINITE.value.split("; ")[1]
TRIES = 8
"""How often it may, with half the rate each time."""


@dataclass(frozen=True)
class Fault:
    """What was not finite, at which step, and the last state whose losses and parameters were."""

    step: int
    what: str
    guilty: str | None
    """The loss whose value it was, if it was one."""
    at: State
    """The state whose losses were computed."""
    good: State

    def sentence(self, reason: str | None = None) -> str:
        """What happened, why as far as that is known, and what is kept."""
        return f"at step {self.step} {self.what}{f', {reason}' if reason else ''}; {KEPT}"


class Past:
    """Some earlier states of a run, so that every one can be reached again: few, however long the run is."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self._states: list[tuple[int, State]] = []

    def note(self, state: State) -> None:
        """A state that a chunk starts from."""
        step = int(state.step)
        self._states = [(at, old) for at, old in self._states if at < step]
        if len(self._states) > 1 and self._states[-1][0] - self._states[-2][0] < BACK // 2:
            self._states.pop()
        while len(self._states) > 2 and self._states[1][0] <= step - BACK:
            self._states.pop(0)
        self._states.append((step, state))

    def restart(self, state: State) -> None:
        """Nothing before this state leads to what comes after it."""
        self._states = [(int(state.step), state)]

    def at(self, step: int) -> State:
        """The state before a step: the newest of the earlier ones, and the steps from there once more."""
        near, state = max(((at, old) for at, old in self._states if at <= step), key=lambda pair: pair[0])
        return self._track.after(state, step - near)

    def back(self, step: int) -> int:
        """Where to go back to from a step."""
        return max(step - BACK, self.first)

    @property
    def first(self) -> int:
        """The earliest step that can be reached."""
        return self._states[0][0]


def fault_of(passage: Passage, past: Past, owners: Sequence[str], fields: Sequence[str]) -> Fault | None:
    """What was not finite in some steps; `owners` are the names of the balancers, `fields` those of the networks."""
    if passage.finite and passage.sound:
        return None
    step = passage.stop - 1
    if not passage.finite and _sound(passage, step):
        at = passage.state_at(step)
        what, guilty = _blame(passage, at, owners)
        return Fault(step, what, guilty, at, past.at(max(step - 1, past.first)))
    step = _breaking(passage)
    at = passage.state_at(step)
    broken = passage.track.passage(at, 1).end
    wrong = [name for name, new in zip(fields, broken.params, strict=True) if not _finite(new)]
    named = " and ".join(f'"{name}"' for name in wrong)
    reason = blame_for_update(passage.track.recipe, passage.track.numbers, at)
    return Fault(step, f"the update of {named} was not finite, though all losses were: {reason}", None, at, at)


def slower(state: State, failed: State) -> State:
    """A state with half the rate that there was when a run failed."""
    return replace(state, damping=failed.damping / 2)


def _sound(passage: Passage, step: int) -> bool:
    """Whether the parameters are finite before a step."""
    return step == passage.first or passage.track.passage(passage.start, step - passage.first).sound


def _breaking(passage: Passage) -> int:
    """The step whose update made parameters infinite: mostly that before the last, since losses show it at once."""
    low, high = passage.first, passage.stop
    likely = [high - 1, high - 2]
    while high - low > 1:
        guess = likely.pop() if likely else 0
        middle = guess if low < guess < high else (low + high) // 2
        low, high = (middle, high) if _sound(passage, middle) else (low, middle)
    return low


def _blame(passage: Passage, at: State, owners: Sequence[str]) -> tuple[str, str | None]:
    """Which loss, weight or rate was not finite, in the order in which they are computed."""
    layout, newest = passage.track.layout, passage.newest
    for name in layout.losses:
        if not np.isfinite(newest[name]):
            return f'the loss "{name}" was {newest[name]}', name
    for owner, weights, old, new in zip(owners, passage.end.weights, at.cells, passage.end.cells, strict=True):
        if not _finite(weights):
            return f"the weights of {owner} were not finite, though all losses were", None
        if not bool(clean(old, new)):
            return f"the state of {owner} was no longer finite, though all losses were", None
    for name in [f"lr({field})" for names in layout.rates for field in names]:
        if not np.isfinite(newest[name]):
            return f'"{name}" was {newest[name]}, though all losses were finite', None
    return f'"total" was {newest["total"]}, though all losses were finite', "total"


def _finite(tree: Any) -> bool:
    numbers = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in numbers)
