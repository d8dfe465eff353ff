"""When points are drawn again, inside the step."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key


def fresh_every(
    period: int,
    draw: Callable[[Key[Array, ""]], Float[Array, "n d"]],
    points: Float[Array, "n d"],
    *,
    step: Int[Array, ""] | int,
    key: Key[Array, ""],
) -> Float[Array, "n d"]:
    """Fresh points at the steps period, 2 period, ...; at all others the same points, and no draw.

    The key of a draw is `fold_in(key, step)`, so that points depend on nothing but key and step.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> draw = lambda key: jax.random.uniform(key, (2, 1))
    >>> print(fresh_every(10, draw, jnp.zeros((2, 1)), step=7, key=jax.random.key(0)).T)
    [[0. 0.]]
    """
    step = jnp.asarray(step)
    due = (step > 0) & (step % period == 0)
    return jax.lax.cond(due, lambda: draw(jax.random.fold_in(key, step)), lambda: points)
