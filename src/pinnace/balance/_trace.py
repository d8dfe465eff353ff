"""The trace of a neural tangent kernel, from gradients at single points, in bounded memory."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pinnace._errors import BalanceError

# Numbers that the gradients of one block may hold: 16 MB in float32.
ROOM = 2**22


def ntk_trace(
    residual: Callable[[PyTree, Any], Array],
    params: PyTree[Array],
    points: PyTree[Array],
    *,
    block: int | None = None,
) -> Float[Array, ""]:
    """The trace of a residual's neural tangent kernel, over the number of its values: what `ntk` reads.

    `sum_n ||d r(x_n) / d params||^2 / N`, with N the number of values (points times components).
    `residual(params, point)`: the residual at one point, a scalar or an array. `params`: a pytree; what is
    no array of floats counts as constant. `points`: an array `[n, ...]`, or a pytree of such. `block`:
    points whose gradients are held at once, by default as many as make 4 million numbers. Raises
    BalanceError where there are no points, or no parameters.

    >>> ntk_trace(lambda w, x: w[0] + w[1] * x, jnp.ones(2), jnp.array([0.0, 1.0, 2.0, 3.0])).item()
    4.5
    """
    shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(points)]
    if not shapes or not all(shape and shape[0] == shapes[0][0] > 0 for shape in shapes):
        raise BalanceError(f"ntk_trace got points of shapes {shapes}, expected the same n > 0 first in each.")
    trained, constant = eqx.partition(params, eqx.is_inexact_array)
    size = sum(leaf.size for leaf in jax.tree.leaves(trained))
    if not size:
        raise BalanceError("ntk_trace got params without an array of floats. Give what is trained, as jax.Array.")
    number = shapes[0][0]
    first = jax.tree.map(lambda leaf: leaf[0], points)
    values = jax.eval_shape(residual, params, first).size
    room = max(1, min(number, ROOM // (size * values))) if block is None else block
    if room < 1:
        raise BalanceError(f"ntk_trace got block = {block}, expected a whole number from 1.")

    def squared(point: Any) -> Array:
        def flat(trained: PyTree) -> Array:
            value = jnp.ravel(residual(eqx.combine(trained, constant), point))
            # The square of a complex residual is that of its two parts.
            parts = (value.real, value.imag) if jnp.iscomplexobj(value) else (value,)
            return jnp.concatenate(parts)

        value, pull = jax.vjp(flat, trained)
        (rows,) = jax.vmap(pull)(jnp.eye(value.size, dtype=value.dtype))
        return sum((jnp.sum(jnp.abs(leaf) ** 2) for leaf in jax.tree.leaves(rows)), start=jnp.zeros(()))

    squares = jax.lax.map(squared, points, batch_size=room)
    return jnp.sum(squares) / (number * values)
