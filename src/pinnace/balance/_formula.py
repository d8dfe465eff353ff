"""What the formulas of several papers have in common."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

SMALLEST = 1e-30
LARGEST_QUOTIENT = 1e12


def quotient(a: Float[Array, " m"], b: Float[Array, " m"]) -> Float[Array, " m"]:
    """How many times larger the losses `a` are than the losses `b`, in magnitude; 0/0 is 1.

    >>> quotient(jnp.array([2.0, 0.0, -4.0]), jnp.array([-1.0, 0.0, 8.0])).tolist()
    [2.0, 1.0, 0.5]
    """
    magnitudes = jnp.maximum(jnp.abs(a), SMALLEST) / jnp.maximum(jnp.abs(b), SMALLEST)
    return jnp.minimum(magnitudes, LARGEST_QUOTIENT)


def below_largest(scores: Float[Array, " m"]) -> Float[Array, " m"]:
    """Scores of a softmax, shifted so that the largest is 0.

    Done before they are multiplied by a temperature: the difference of close numbers is exact, a product is
    not.
    """
    return scores - jnp.max(scores)


def share(scores: Float[Array, " m"]) -> Float[Array, " m"]:
    """Softmax times m, so that equal scores give 1 each.

    >>> share(jnp.array([3.0, 3.0])).tolist()
    [1.0, 1.0]
    """
    return scores.shape[0] * jax.nn.softmax(scores)


def draw_key(seed: int | Int[Array, ""], t: Int[Array, ""]) -> Key[Array, ""]:
    """The random key of move t; the same in the language and outside it."""
    return jax.random.fold_in(jax.random.key(seed), t)
