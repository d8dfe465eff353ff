"""Linear layers as such networks begin with them."""

from typing import Any, Literal

import equinox as eqx
from jax.nn import initializers
from jaxtyping import Array, Key


def dense(
    in_size: int, out_size: int | Literal["scalar"], *, key: Key[Array, ""], bias: bool = True, dtype: Any = None
) -> eqx.nn.Linear:
    """A linear layer whose weights have the variance 2 / (in_size + out_size), and whose bias is zero.

    Source: Glorot, Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.

    >>> import jax
    >>> dense(3, 4, key=jax.random.key(0)).weight.shape
    (4, 3)
    """
    layer = eqx.nn.Linear(in_size, out_size, bias, dtype, key=key)
    weight = initializers.glorot_normal(1, 0)(key, layer.weight.shape, layer.weight.dtype)
    return starting(layer, weight)


def starting(layer: eqx.nn.Linear, weight: Array, bias: Array | None = None) -> eqx.nn.Linear:
    """A layer with these weights, and this bias or zeros."""
    layer = eqx.tree_at(lambda layer: layer.weight, layer, weight)
    if layer.bias is None:
        return layer
    return eqx.tree_at(lambda layer: layer.bias, layer, 0 * layer.bias if bias is None else bias)
