"""A multilayer perceptron whose layers mix two encodings of the point."""

from collections.abc import Callable
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from pinnace.net.arch.dense import dense
from pinnace.net.arch.last import LastLinear
from pinnace.net.arch.sizes import check_sizes


class ModifiedMLP(LastLinear):
    """A multilayer perceptron with gates: each hidden layer z chooses between two encodings U and V of the point,
    `(1 - z) U + z V`.

    For products of coordinates and steep solutions; the sizes are those of `eqx.nn.MLP`, and weights begin as Glorot's.
    Raises FieldError for sizes below 1.

    Source: Wang, Teng, Perdikaris 2021, arXiv 2001.04536.

    >>> import jax, pinnace as pn
    >>> x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 100)
    >>> net = pn.nn(pn.arch.ModifiedMLP(2, "scalar", 32, 3, key=jax.random.key(0)))
    >>> print(net(x, t).d(t))
    d(u, t)
    """

    encoders: tuple[eqx.nn.Linear, eqx.nn.Linear]
    hidden: tuple[eqx.nn.Linear, ...]
    last: eqx.nn.Linear
    activation: Callable[[Array], Array]

    def __init__(
        self,
        in_size: int,
        out_size: int | Literal["scalar"],
        width_size: int,
        depth: int,
        activation: Callable[[Array], Array] = jnp.tanh,
        *,
        key: Key[Array, ""],
        dtype: Any = None,
    ) -> None:
        check_sizes("a modified MLP", in_size=in_size, out_size=out_size, width_size=width_size, depth=depth)
        first, second, end, *keys = jax.random.split(key, depth + 3)
        self.encoders = (
            dense(in_size, width_size, key=first, dtype=dtype),
            dense(in_size, width_size, key=second, dtype=dtype),
        )
        self.hidden = tuple(
            dense(below, width_size, key=one, dtype=dtype)
            for below, one in zip([in_size, *[width_size] * (depth - 1)], keys, strict=True)
        )
        self.last = dense(width_size, out_size, key=end, dtype=dtype)
        self.activation = activation

    def features(self, point: Float[Array, " d"]) -> Float[Array, " width"]:
        """What the last layer combines."""
        first, second = (self.activation(encoder(point)) for encoder in self.encoders)
        way, values = second - first, point
        for layer in self.hidden:
            # (1 - z) U + z V, with one product less
            values = first + self.activation(layer(values)) * way
        return values
