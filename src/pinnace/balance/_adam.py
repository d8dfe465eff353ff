"""Adam, with the root of its second moment: the square of 1e30 is no number in float32."""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

B1, B2, EPS = 0.9, 0.999, 1e-8


class Adam(NamedTuple):
    """First moment, root of the second moment, and number of steps, each for every number that is learned."""

    first: Float[Array, " n"]
    root: Float[Array, " n"]
    count: Int[Array, " n"]


def adam_start(like: Float[Array, " n"]) -> Adam:
    """No steps yet."""
    return Adam(jnp.zeros_like(like), jnp.zeros_like(like), jnp.zeros(like.shape, int))


def adam_step(slope: Float[Array, " n"], memory: Adam) -> tuple[Float[Array, " n"], Adam]:
    """The direction of a step of rate 1 along `slope`, and the next memory.

    >>> [round(float(step), 5) for step in adam_step(jnp.array([3.0, -1e30]), adam_start(jnp.zeros(2)))[0]]
    [1.0, -1.0]
    """
    count = memory.count + 1
    first = B1 * memory.first + (1 - B1) * slope
    root = jnp.hypot(B2**0.5 * memory.root, (1 - B2) ** 0.5 * slope)
    m_hat, v_hat_root = first / left(B1, count, slope.dtype), root / jnp.sqrt(left(B2, count, slope.dtype))
    return m_hat / (v_hat_root + EPS), Adam(first, root, count)


def left(decay: float | Array, count: Int[Array, "..."], dtype: Any) -> Float[Array, "..."]:
    """`1 - decay^count`; written like that, its first digits are lost in float32."""
    # The logarithm of 0.999 as a Python number, since float32 keeps only four digits of it.
    rate = math.log(decay) if isinstance(decay, float) and decay > 0 else jnp.log(jnp.asarray(decay, dtype))
    return -jnp.expm1(count.astype(dtype) * rate)
