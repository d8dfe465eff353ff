"""What a balancer sees of the losses: three ways to scale them before the formula, each a pure pair."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree


class Mode(NamedTuple):
    """`start(m, dtype)` gives a memory, `see(losses, memory)` the scaled losses and the next memory."""

    start: Callable[[int, Any], PyTree]
    see: Callable[[Float[Array, " m"], PyTree], tuple[Float[Array, " m"], PyTree]]


class Range(NamedTuple):
    """Smallest and largest value of each loss over the moves so far."""

    low: Float[Array, " m"]
    high: Float[Array, " m"]


def _nothing(m: int, dtype: Any) -> tuple[()]:
    return ()


def _raw(losses: Float[Array, " m"], nothing: tuple[()]) -> tuple[Float[Array, " m"], tuple[()]]:
    return losses, nothing


def _empty_range(m: int, dtype: Any) -> Range:
    return Range(jnp.full(m, jnp.inf, dtype), jnp.full(m, -jnp.inf, dtype))


def _minmax(losses: Float[Array, " m"], seen: Range) -> tuple[Float[Array, " m"], Range]:
    seen = Range(jnp.minimum(seen.low, losses), jnp.maximum(seen.high, losses))
    width = seen.high - seen.low
    place = (losses - seen.low) / jnp.where(width > 0, width, 1)
    # The floor keeps the quotients of successive values in a range where they mean something.
    return jnp.where(width > 0, jnp.maximum(place, 1e-3), 1), seen


def _l2(losses: Float[Array, " m"], nothing: tuple[()]) -> tuple[Float[Array, " m"], tuple[()]]:
    largest = jnp.max(jnp.abs(losses))
    # Divided by the largest first: squares of 1e30 do not exist in float32. Nor does the inverse of 3e38, with which
    # XLA divides.
    near = jnp.where(largest > 1, 2.0**-8, 1).astype(losses.dtype)
    unit = jnp.where(largest > 0, (losses * near) / jnp.where(largest > 0, largest * near, 1), 1)
    return unit / jnp.sqrt(jnp.sum(unit**2)), nothing


MODES = {
    "raw": Mode(_nothing, _raw),
    "minmax": Mode(_empty_range, _minmax),
    "l2": Mode(_nothing, _l2),
}
