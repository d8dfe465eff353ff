"""Networks of sines."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from pinnace.net.arch.dense import starting
from pinnace.net.arch.last import LastLinear
from pinnace.net.arch.sizes import check_sizes, number


class Siren(LastLinear):
    """A multilayer perceptron of sines, `sin(omega0 (W h + b))`: for waves, images and sharp detail on about [-1, 1].

    Begins with normal inputs of deviation about 1 to each sine after the first, in however many layers; `omega0` is
    about how many radians the first layer turns over a length of 1, so lower it for smooth solutions. Biases begin at
    0, but in the first layer. Sizes are those of `eqx.nn.MLP`. Raises FieldError for sizes below 1.

    Source: Sitzmann et al. 2020, arXiv 2006.09661.

    >>> import jax, pinnace as pn
    >>> x, t = pn.domain.interval(-1, 1).time(0, 1).variable("interior", 100)
    >>> net = pn.nn(pn.arch.Siren(2, "scalar", 32, 3, omega0=10.0, key=jax.random.key(0)))
    >>> print(net(x, t).dd(t) - net(x, t).dd(x))
    d(u, t, t) - d(u, x, x)
    """

    hidden: tuple[eqx.nn.Linear, ...]
    last: eqx.nn.Linear
    omega0: float = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        out_size: int | Literal["scalar"],
        width_size: int,
        depth: int,
        *,
        omega0: float = 30.0,
        key: Key[Array, ""],
        dtype: Any = None,
    ) -> None:
        check_sizes("a SIREN", in_size=in_size, out_size=out_size, width_size=width_size, depth=depth)
        self.omega0 = number("a SIREN", "omega0", omega0)
        first, shift, end, *keys = jax.random.split(key, depth + 2)
        bound = (6 / width_size) ** 0.5 / self.omega0
        layer = eqx.nn.Linear(in_size, width_size, dtype=dtype, key=first)
        weight = _even(first, layer.weight, 1 / in_size)
        self.hidden = (
            starting(layer, weight, _even(shift, weight[:, 0], in_size**-0.5)),
            *(_layer(width_size, width_size, bound, one, dtype) for one in keys),
        )
        self.last = _layer(width_size, out_size, bound, end, dtype)

    def features(self, point: Float[Array, " d"]) -> Float[Array, " width"]:
        """What the last layer combines."""
        for layer in self.hidden:
            point = jnp.sin(self.omega0 * layer(point))
        return point


def _layer(below: int, above: int | Literal["scalar"], bound: float, key: Any, dtype: Any) -> eqx.nn.Linear:
    layer = eqx.nn.Linear(below, above, dtype=dtype, key=key)
    return starting(layer, _even(key, layer.weight, bound))


def _even(key: Any, like: Array, bound: float) -> Array:
    """Numbers between -bound and bound."""
    return jax.random.uniform(key, like.shape, like.dtype, -bound, bound)
