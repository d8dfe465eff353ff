"""The trace of the neural tangent kernel of a loss: gradients at each point, in blocks of bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from pinnace._errors import LoweringError
from pinnace.expr import Expr, PointSet, text
from pinnace.expr import np as functions
from pinnace.expr.text import postorder
from pinnace.lower.batches import evaluate_in_batches, planned
from pinnace.lower.evaluate import evaluate
from pinnace.lower.given import Given
from pinnace.lower.reduce import squares

NUMBERS = 1 << 22
"""How many components of gradients are held at once."""

HELD = ("weight", "point weight")
"""Nodes whose values are constants for differentiation."""


def kernel_trace(
    loss: Expr, given: Callable[[PyTree], Given], trained: PyTree, chosen: Callable[[PyTree], PyTree]
) -> Float[Array, ""]:
    """The sum over the residuals of a loss of the squared norm of their gradients, over their number.

    `loss` is a mean of squares, or a sum of such with factors and weights, which belong to the residual by their square
    roots. `given(trained)` tells what expressions are evaluated at, `chosen` takes the parameters that count out of a
    tree. Raises LoweringError for another loss, and for residuals that run over points themselves.
    """
    total = jnp.zeros(())
    for factor, residual, weight in squares(loss, "ntk looks at the gradients of the residuals of a loss"):
        row = functions.sqrt(factor * weight) * residual
        within = [node for node in _inside(row) if node.kind == "reduce"]
        if within:
            raise LoweringError(
                f"ntk takes the gradient of a residual at each point, and that of `{text(loss)}` holds "
                f"`{text(within[0])}`, which runs over points itself. Choose another balancer, such as grad_norm."
            )
        total = total + _mean_of_squared_slopes(row, given, trained, chosen)
    return total


def _inside(row: Expr) -> Iterator[Expr]:
    """A node and what is below it, but nothing below what is held."""
    return postorder([row], lambda node: () if node.kind in HELD else node.args)


def _mean_of_squared_slopes(
    row: Expr, given: Callable[[PyTree], Given], trained: PyTree, chosen: Callable[[PyTree], PyTree]
) -> Array:
    here, points = given(trained), row.points
    late = [node for node in _inside(row) if node.kind in HELD]
    known = dict(zip(late, map(lax.stop_gradient, evaluate_in_batches(late, here)), strict=True))
    at_points = [node for node in late if node.points is not None]
    plan = planned((row,), frozenset(known))

    def residual(trained: PyTree, point: Array | None, weights: Sequence[Array]) -> Array:
        at = given(trained)
        where: dict[PointSet, Array] = {} if points is None or point is None else {points: point[None]}
        seen = {**known, **{node: value[None] for node, value in zip(at_points, weights, strict=True)}}
        at = replace(at, points={**at.points, **where}, known=seen, counts={}, grids={})
        return jnp.ravel(evaluate(plan, at)[0])

    def squared(at: Any) -> Array:
        slopes = jax.tree.leaves(chosen(jax.jacrev(residual)(trained, *at)))
        return sum((jnp.sum(jnp.abs(leaf) ** 2) for leaf in slopes), jnp.zeros(()))

    components = prod(row.shape)
    if points is None:
        return squared((None, [])) / components
    count = here.counts.get(points, len(here.points[points]))
    rows = jax.tree.map(lambda array: array[:count], (here.points[points], [known[node] for node in at_points]))
    size = sum(leaf.size for leaf in jax.tree.leaves(chosen(trained))) * components
    block = min(count, max(1, NUMBERS // max(size, 1)))
    return jnp.sum(lax.map(squared, rows, batch_size=block)) / (count * components)
