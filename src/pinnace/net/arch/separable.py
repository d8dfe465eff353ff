"""Sums of products of functions of one coordinate each (SPINN)."""

from collections.abc import Callable
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from pinnace.net.arch.sizes import check_sizes


class Separable(eqx.Module):
    """A sum of `rank` products of networks of one coordinate each: u(x, y) = sum over r of f_r(x) g_r(y).

    On a point set that is a full grid, `dom.variable("interior", n, sampler="grid")`, it is evaluated and
    differentiated axis by axis, at as many numbers as the axes are long together. Elsewhere it is a network like any
    other. `in_size` coordinates, `out_size` outputs or "scalar"; each factor is an `eqx.nn.MLP` of `width_size` and
    `depth`. Raises FieldError for sizes below 1.

    Source: Cho, Nam, Yang, Yun, Hong, Park, Separable Physics-Informed Neural Networks, arXiv 2306.15969.

    >>> import jax, pinnace as pn
    >>> x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 10_000, sampler="grid")
    >>> net = pn.nn(pn.arch.Separable(2, "scalar", 16, 32, 2, key=jax.random.key(0)))
    >>> print(net(x, y).dd(x) + net(x, y).dd(y))
    d(u, x, x) + d(u, y, y)
    """

    factors: tuple[eqx.nn.MLP, ...]
    out_size: int | Literal["scalar"] = eqx.field(static=True)
    rank: int = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        out_size: int | Literal["scalar"],
        rank: int,
        width_size: int,
        depth: int,
        activation: Callable[[Array], Array] = jnp.tanh,
        *,
        key: Key[Array, ""],
        **settings: Any,
    ) -> None:
        outputs = 1 if out_size == "scalar" else out_size
        check_sizes("a separable network", in_size=in_size, out_size=outputs, rank=rank, width_size=width_size)
        self.factors = tuple(
            eqx.nn.MLP(1, outputs * rank, width_size, depth, activation, key=one, **settings)
            for one in jax.random.split(key, in_size)
        )
        self.out_size, self.rank = out_size, rank

    def factor(self, axis: int, number: Float[Array, ""]) -> Float[Array, "outputs rank"]:
        """The functions of one coordinate, for each output and each product."""
        return self.factors[axis](number[None]).reshape(-1, self.rank)

    def __call__(self, point: Float[Array, " d"], *, key: Any = None) -> Float[Array, "..."]:
        """The value at one point."""
        if point.shape != (len(self.factors),):
            raise ValueError(f"a point of {len(self.factors)} coordinates is needed; got shape {point.shape}")
        product = self.factor(0, point[0])
        for axis in range(1, len(self.factors)):
            product = product * self.factor(axis, point[axis])
        value = product.sum(axis=-1)
        return value[0] if self.out_size == "scalar" else value
