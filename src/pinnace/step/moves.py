"""The cells of one step: each moves exactly once, whatever uses its weights and whoever watches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from pinnace._errors import LoweringError
from pinnace.step.recipe import Recipe
from pinnace.step.state import like

Weights = Callable[[int, Sequence[Array]], Array]


class Moves:
    """The weights of this step, made when the first expression asks for them and remembered."""

    def __init__(
        self, recipe: Recipe, numbers: Sequence[Any], states: Sequence[Any], signals: Callable[[int], Mapping[str, Any]]
    ) -> None:
        self._recipe, self._numbers, self._states, self._signals = recipe, numbers, states, signals
        self._made: dict[int, tuple[Array, Any]] = {}

    def __call__(self, number: int, losses: Sequence[Array]) -> Array:
        """The weights of a cell, constants for differentiation, from the values that it looks at."""
        if number not in self._made:
            self._made[number] = self._move(number, losses)
        return self._made[number][0]

    def _move(self, number: int, losses: Sequence[Array]) -> tuple[Array, Any]:
        part = self._recipe.cells[number]
        cell = eqx.combine(self._numbers[number], part.static.tree)
        values = [lax.stop_gradient(jnp.asarray(loss)) for loss in losses]
        weights, state = part.form.update(cell, values, self._states[number], self._signals(number))
        if weights.shape != (part.form.size,):
            raise LoweringError(
                f"{part.name} gave weights of shape {weights.shape}, expected ({part.form.size},): one for each."
            )
        return weights, like(state, self._states[number], f"the state of {part.name}")

    def results(self) -> tuple[tuple[Array, ...], tuple[Any, ...]]:
        """Weights and new states of all balancers, in their order."""
        made = [self._made[number] for number in range(len(self._recipe.cells))]
        return tuple(weights for weights, _ in made), tuple(state for _, state in made)


def held(weights: Sequence[Array]) -> Weights:
    """Weights that were made before: what a line search and trackers see."""
    return lambda number, losses: weights[number]
