"""What a run shows that is probably not what was meant: told once, while there is time to do something."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pinnace.balance import LossBalancer
from pinnace.expr import Expr, nodes, symbols_in
from pinnace.lower import Compiled
from pinnace.step import State, look
from pinnace.train.history import History
from pinnace.train.passage import Ending, Passage

FIRST_LOOK = 200
"""Steps after which losses say something; then at twice as many, and so on."""
NUDGES = (0.01, 0.3)
"""How much parameters are changed, relative to their size, to see which losses notice; last, beyond all rounding."""
GONE, STUCK, FLAT = 1e-4, 0.5, 0.1
"""A loss that fell to this part of its first value, beside one that did not fall to that, with a field whose range is
this part of what the other misses."""


class Doubts:
    """Looks for dead losses, for trivial solutions and for weights at their limits; at few steps, and cheaply."""

    def __init__(self, compiled: Compiled, history: History, report: Callable[[str], None], told: set[str]) -> None:
        self._compiled, self._history, self._report, self._told = compiled, history, report, told
        self._taken = 0
        self._next = 0
        self._looked = 0
        self._suspected: set[str] = set()
        self._now: set[str] = set()
        self._last: Passage | None = None

    def look(self, passage: Passage) -> Ending | None:
        self._taken += passage.count
        self._last = passage
        if passage.finite and self._taken >= self._next:
            self._next = max(FIRST_LOOK, 2 * self._taken)
            self._examine(passage)
        return None

    def close(self) -> None:
        """A last look, at the end of the run."""
        later = self._taken >= max(FIRST_LOOK, 1.5 * self._looked)
        if self._last is not None and self._last.finite and later:
            self._examine(self._last)

    def _examine(self, passage: Passage) -> None:
        self._now, self._looked = set(), self._taken
        for name, sentence in (*self._dead(passage), *self._trivial(passage), *self._at_limits(passage)):
            if name not in self._told:
                self._told.add(name)
                self._report(sentence)
        self._suspected = self._now

    def _dead(self, passage: Passage) -> Iterator[tuple[str, str]]:
        """Losses that are the same number, but not zero, when all that is trained is changed a little.

        Seen by taking one step again from other parameters, which compiles nothing.
        """
        names, scale = passage.track.layout.losses, passage.track.recipe.scale
        if scale.mesh is not None and jax.process_count() > 1:
            return  # no process has all parameters
        still = passage.rows.losses[0] != 0
        for nudge in NUDGES:
            if still.any():
                still &= passage.rows.losses[0] == passage.track.passage(_nudged(passage, nudge), 1).rows.losses[0]
        for k, name in enumerate(names):
            value = passage.rows.losses[0, k]
            if still[k]:
                yield (
                    f"dead {name}",
                    f'the loss "{name}" stays {value:.3g} whatever the trained parameters are: its gradient is zero, '
                    f"and nothing learns from it. Look for an activation whose derivatives vanish (relu), saturated or "
                    f"frozen networks, or an expression without the field",
                )

    def _trivial(self, passage: Passage) -> Iterator[tuple[str, str]]:
        """One loss vanishes, another does not fall, and the field is flat: the zero solution, or a constant."""
        if self._taken < FIRST_LOOK:
            return
        ratios = {name: _ratio(self._history[name]) for name in passage.track.layout.losses}
        gone = [name for name, ratio in ratios.items() if ratio < GONE]
        stuck = [name for name, ratio in ratios.items() if ratio > STUCK and self._history[name][-1] > 0]
        found: dict[str, str] = {}
        for name in gone if stuck else ():
            missed = max(float(np.sqrt(self._history[other][-1])) for other in stuck)
            for field in self._fields_of(name):
                values = np.asarray(look(self._compiled, passage.end, field, None, passage.track.recipe.scale), float)
                if np.ptp(values) < FLAT * missed:
                    others = " and ".join(f'"{other}"' for other in stuck)
                    found[f"trivial {name}"] = (
                        f'the loss "{name}" has vanished while {others} did not fall, and the field is nearly '
                        f"constant ({values.min():.3g} to {values.max():.3g}): a trivial solution. Give {others} more "
                        f"weight, or impose the conditions exactly"
                    )
        yield from self._again(found)

    def _fields_of(self, name: str) -> list[Expr]:
        """The fields in a loss, where they are called on the points of a set."""
        number = self._compiled.program.loss_names.index(name)
        found = nodes([self._compiled.losses[number]])
        return [node for node in found if node.kind == "field" and node.points is not None and not symbols_in(node)]

    def _at_limits(self, passage: Passage) -> Iterator[tuple[str, str]]:
        """Weights at a limit of their balancer."""
        now: dict[str, str] = {}
        for cell, weights in zip(self._compiled.cells, passage.end.weights, strict=True):
            if not isinstance(cell.balancer, LossBalancer):
                continue
            limits = {"lower": cell.balancer.min_weight, "upper": cell.balancer.max_weight}
            for index, weight in enumerate(np.asarray(weights)):
                for side, limit in limits.items():
                    if limit is not None and np.isclose(weight, float(limit), rtol=1e-5):
                        name = cell.target(index, self._compiled.names)
                        now[f"limit {name}"] = (
                            f'the weight of "{name}" stays at its {side} limit {float(limit):g}: {cell.name} no longer '
                            f"balances. Change {'min' if side == 'lower' else 'max'}_weight, or scale the losses"
                        )
        yield from self._again(now)

    def _again(self, found: dict[str, str]) -> Iterator[tuple[str, str]]:
        """What was found at the look before too: much passes."""
        for name in [name for name in found if name in self._suspected]:
            yield name, found[name]
        self._now |= set(found)


def _ratio(values: np.ndarray) -> float:
    """The last value, as the median of a few, over the first."""
    return float(np.median(values[-max(1, len(values) // 20) :])) / values[0] if values[0] > 0 else np.nan


def _nudged(passage: Passage, nudge: float) -> State:
    """The state before a passage, with other parameters."""
    recipe, state = passage.track.recipe, passage.start
    trained = [_changed(group.trained(state.params), nudge) for group in recipe.groups]
    return replace(state, params=tuple(recipe.put(state.params, trained)))


def _changed(tree: PyTree, nudge: float) -> PyTree:
    chance = np.random.default_rng(0)

    def change(leaf: Any) -> Any:
        if not eqx.is_inexact_array(leaf):
            return leaf
        values = np.asarray(leaf)
        size = nudge * (np.sqrt(np.mean(np.abs(values.astype(np.float64)) ** 2)) + nudge)
        changed = (values + size * chance.standard_normal(values.shape)).astype(values.dtype)
        # only a mesh ties arrays to devices; tied to one without it, they would be compiled for once more
        return jax.device_put(changed, leaf.sharding) if leaf.committed else jnp.asarray(changed)

    return jax.tree.map(change, tree)
