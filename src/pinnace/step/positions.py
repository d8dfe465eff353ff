"""The points of one step: as they are, drawn anew by their plan, or moved by an entry of `core`."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from pinnace.expr import PointSet
from pinnace.lower import Moved, at_points
from pinnace.step.moves import held
from pinnace.step.recipe import Recipe
from pinnace.step.state import State, like


def moved_points(recipe: Recipe, state: State, root: Any) -> tuple[tuple[Array, ...], tuple[PyTree, ...]]:
    """The points of this step and the states of their samplers; each set has a key of its own."""
    found, samplers = list(state.points), list(state.samplers)
    for k, (points, moved) in enumerate(zip(recipe.program.points, recipe.program.moved, strict=True)):
        key = jax.random.fold_in(root, k)
        if moved is not None:
            found[k] = _refined(recipe, replace(state, points=tuple(found)), k, moved, key)
        elif points.plan.moves:
            place = recipe.placement.spread
            pair = points.plan.update(state.points[k], state.samplers[k], step=state.step, key=key, place=place)
            found[k], samplers[k] = like(pair, (state.points[k], state.samplers[k]), f"the sampler of {points!r}")
    return tuple(found), tuple(samplers)


def _refined(recipe: Recipe, state: State, k: int, moved: Moved, key: Any) -> Array:
    """The points of a set where its mover has put them: at the steps every, 2 every, ..., else as they were."""
    points, before = recipe.program.points[k], state.points[k]

    def move() -> Array:
        real = recipe.placement.real(points, before)
        draw = partial(_drawn, points, state.samplers[k], before.dtype)
        size = partial(_sizes, recipe, state, k, moved)
        after = moved.rule.move(real, draw, size, jax.random.fold_in(key, state.step), state.step // moved.every - 1)
        return recipe.placement.spread(after)

    due = (state.step > 0) & (state.step % moved.every == 0)
    return lax.cond(due, move, lambda: before)


def _drawn(points: PointSet, base: PyTree, dtype: Any, key: Any) -> Float[Array, "n d"]:
    return points.plan.fresh(base, key, dtype)


def _sizes(recipe: Recipe, state: State, k: int, moved: Moved, at: Float[Array, "n d"]) -> Float[Array, " n"]:
    """The magnitude of the residual at other points of its set: of several components, the norm."""
    sets: Sequence[Array] = [*state.points[:k], recipe.placement.spread(at), *state.points[k + 1 :]]
    given = recipe.given(state.params, sets, held(state.weights), state)
    values = recipe.placement.real(recipe.program.points[k], at_points(moved.expr, given))
    return jnp.linalg.norm(values.reshape(len(values), -1), axis=1)
