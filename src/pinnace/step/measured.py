"""What some balancers ask for beside the losses: gradients of single losses, and traces of their tangent kernels.

Computed at the steps where a cell that asks is due, once for all of them, under one `lax.cond`; else zeros.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.core
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, PyTree

from pinnace.expr import Expr
from pinnace.fn import OF_PARAMETERS
from pinnace.lower import Given, kernel_trace
from pinnace.step.moves import Moves, Weights
from pinnace.step.recipe import Recipe, key_of
from pinnace.step.state import State

Made = dict[tuple[str, int], Any]
"""What was measured, by signal and number of the cell."""


@runtime_checkable
class _Periodic(Protocol):
    def due(self, state: PyTree) -> Bool[Array, ""]: ...


def signals_of(
    recipe: Recipe,
    numbers: Sequence[Any],
    state: State,
    root: Any,
    trained: PyTree,
    given: Callable[[PyTree, Weights], Given],
) -> Callable[[int], dict[str, Any]]:
    """What the cell of a number reads beside the values that it looks at: step, key, gradients, traces."""

    def reads(number: int, name: str) -> bool:
        return name in recipe.cells[number].reads

    def simple(number: int) -> dict[str, Any]:
        key = key_of(root, len(recipe.program.points) + number, state)
        return {name: value for name, value in (("step", state.step), ("key", key)) if reads(number, name)}

    made = _measured(recipe, numbers, state, trained, given, simple)
    return lambda number: {
        **simple(number),
        **{name: made[name, number] for name in OF_PARAMETERS if reads(number, name)},
    }


def _measured(
    recipe: Recipe,
    numbers: Sequence[Any],
    state: State,
    trained: PyTree,
    given: Callable[[PyTree, Weights], Given],
    signals: Callable[[int], Mapping[str, Any]],
) -> Made:
    """The gradients and traces that cells ask for, at the parameters of this step.

    Weights inside a raw loss are those of this step, but for weights which themselves wait for what is measured here:
    these are the ones of the step before.
    """
    asking = [number for number, part in enumerate(recipe.cells) if part.reads & OF_PARAMETERS]
    if not asking:
        return {}

    def weights() -> Weights:
        moves = Moves(recipe, numbers, state.cells, signals)
        return lambda number, seen: state.weights[number] if number in asking else moves(number, seen)

    def compute() -> Made:
        found: Made = {}
        known: dict[Expr, PyTree] = {}
        for number in asking:
            losses = recipe.program.cells[number]
            if "grads" in recipe.cells[number].reads:
                for loss in losses:
                    if loss not in known:
                        known[loss] = jax.grad(value_of(loss))(trained)
                found["grads", number] = tuple(recipe.chosen(number, known[loss]) for loss in losses)
            if "traces" in recipe.cells[number].reads:
                found["traces", number] = jnp.stack([trace_of(loss, number) for loss in losses])
        return found

    def value_of(loss: Expr) -> Callable[[PyTree], Array]:
        return lambda trained: recipe.program.evaluate([loss], given(trained, weights()))[0]

    def trace_of(loss: Expr, number: int) -> Array:
        def at(trained: PyTree) -> Given:
            return given(trained, weights())

        return kernel_trace(loss, at, trained, lambda slopes: recipe.chosen(number, slopes))

    due = reduce(or_, [_due(recipe, numbers, state, number) for number in asking])
    traced, shapes = jax.make_jaxpr(compute, return_shape=True)()
    structure = jax.tree.structure(shapes)
    flat = lax.cond(
        due,
        lambda: jax.core.eval_jaxpr(traced.jaxpr, traced.consts),
        lambda: [jnp.zeros(shape.shape, shape.dtype) for shape in jax.tree.leaves(shapes)],
    )
    return lax.stop_gradient(jax.tree.unflatten(structure, flat))


def _due(recipe: Recipe, numbers: Sequence[Any], state: State, number: int) -> Any:
    cell = eqx.combine(numbers[number], recipe.cells[number].static.tree)
    return cell.due(state.cells[number]) if isinstance(cell, _Periodic) else True
