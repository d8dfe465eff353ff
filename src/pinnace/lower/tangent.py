"""Residuals at single points, for the neural tangent kernel; the trace of that of a loss, by `balance.ntk_trace`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from pinnace._errors import LoweringError
from pinnace.balance import ntk_trace
from pinnace.expr import Expr, text
from pinnace.expr import np as functions
from pinnace.expr.text import postorder
from pinnace.lower.batches import evaluate_in_batches, planned
from pinnace.lower.evaluate import evaluate
from pinnace.lower.given import Given
from pinnace.lower.reduce import squares

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
        within = reductions_in(row)
        if within:
            raise LoweringError(
                f"ntk takes the gradient of a residual at each point, and that of `{text(loss)}` holds "
                f"`{text(within[0])}`, which runs over points itself. Choose another balancer, such as grad_norm."
            )
        # written so that its loss is the plain mean of its squares
        at_point, rows = pointwise(row, given, trained)
        total = total + ntk_trace(at_point, chosen(trained), rows)
    return total


def reductions_in(row: Expr) -> list[Expr]:
    """What runs over points inside a residual, which then has no gradient at one point."""
    return [node for node in _inside(row) if node.kind == "reduce"]


def _inside(row: Expr) -> Iterator[Expr]:
    """A node and what is below it, but nothing below what is held."""
    return postorder([row], lambda node: () if node.kind in HELD else node.args)


def pointwise(
    row: Expr, given: Callable[[PyTree], Given], trained: PyTree
) -> tuple[Callable[[PyTree, Any], Array], tuple[Array, Sequence[Array]]]:
    """A residual as a function of parameters and one point, and its points; what is held belongs to the point.

    The parameters may be some of the trained ones, as a tree with None in the place of others.
    """
    here, points = given(trained), row.points
    late = [node for node in _inside(row) if node.kind in HELD]
    known = dict(zip(late, map(lax.stop_gradient, evaluate_in_batches(late, here)), strict=True))
    at_points = [node for node in late if node.points is not None]
    plan = planned((row,), frozenset(known))

    def residual(part: PyTree, at: tuple[Array, Sequence[Array]]) -> Array:
        point, weights = at
        one = given(eqx.combine(part, trained))
        seen = {**known, **{node: value[None] for node, value in zip(at_points, weights, strict=True)}}
        where = {} if points is None else {points: point[None]}
        return evaluate(plan, replace(one, points={**one.points, **where}, known=seen, counts={}, grids={}))[0]

    if points is None:
        return residual, (jnp.zeros((1, 0)), [])
    count = here.counts.get(points, len(here.points[points]))
    return residual, (here.points[points][:count], [known[node][:count] for node in at_points])
