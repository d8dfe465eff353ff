"""What one step sees, without taking it: its points, and the weights that its balancers give."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
from jaxtyping import Array, PyTree

from pinnace.step.measured import signals_of
from pinnace.step.moves import Moves
from pinnace.step.positions import moved_points
from pinnace.step.recipe import Recipe
from pinnace.step.state import State


def at_this_step(recipe: Recipe, numbers: PyTree, state: State) -> State:
    """A state, with the points and weights of the step that starts from it; nothing has moved for good."""
    program = recipe.program
    if not (program.cells or any(program.moved) or any(points.plan.moves for points in program.points)):
        return state
    points, weights = _seen(recipe, numbers, state)
    return replace(state, points=points, weights=weights)


@partial(jax.jit, static_argnums=0)
def _seen(recipe: Recipe, numbers: PyTree, state: State) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    program = recipe.program
    root = jax.random.wrap_key_data(state.key)
    points, _ = moved_points(recipe, state, root)
    trained = tuple(group.trained(state.params) for group in recipe.groups)

    def given(trained: PyTree, weights: Any) -> Any:
        return recipe.given(recipe.put(state.params, trained), points, weights, state)

    moves = Moves(recipe, numbers[0], state.cells, signals_of(recipe, numbers[0], state, root, trained, given))
    values = iter(program.evaluate([loss for losses in program.cells for loss in losses], given(trained, moves)))
    for number, below in enumerate(program.cells):
        moves(number, [recipe.placement.real(expr.points, next(values)) for expr in below])
    return points, moves.results()[0]
