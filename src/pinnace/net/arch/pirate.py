"""PirateNets: deep networks that begin as a linear map of Fourier features."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from pinnace._errors import FieldError
from pinnace.net.arch.dense import dense
from pinnace.net.arch.fourier import FourierEmbedding
from pinnace.net.arch.last import LastLinear
from pinnace.net.arch.sizes import check_sizes, scales_of


class Block(eqx.Module):
    """Three layers, two of them gated, and as much of them as `alpha` lets through: none at the start."""

    layers: tuple[eqx.nn.Linear, eqx.nn.Linear, eqx.nn.Linear]
    alpha: Array

    def __init__(self, width_size: int, key: Key[Array, ""], dtype: Any) -> None:
        one, two, three = (dense(width_size, width_size, key=k, dtype=dtype) for k in jax.random.split(key, 3))
        self.layers = (one, two, three)
        self.alpha = jnp.zeros((), one.weight.dtype)

    def __call__(
        self, values: Float[Array, " width"], gate: Callable[[Array], Array], activation: Callable[[Array], Array]
    ) -> Float[Array, " width"]:
        one, two, three = self.layers
        inner = gate(activation(two(gate(activation(one(values))))))
        return values + self.alpha * (activation(three(inner)) - values)


class PirateNet(LastLinear):
    """A physics-informed residual adaptive network: `depth` blocks of three layers, each let in by a number that is
    trained and begins at 0, so that the network begins as a linear map of Fourier features and grows deeper by itself.

    For difficult problems and long training: a block costs as much as three layers. `width_size` is even: half of it
    are frequencies, normal with deviation `scale`, which is a number or one for each coordinate, and not trained.
    Weights begin as Glorot's; fit the last layer to data or a linear problem with `net.fitted((points, values))`. Other
    sizes are those of `eqx.nn.MLP`. Raises FieldError for sizes below 1 and an odd width.

    Source: Wang, Li, Chen, Perdikaris 2024, arXiv 2402.00326.

    >>> import jax, pinnace as pn
    >>> x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 100)
    >>> net = pn.nn(pn.arch.PirateNet(2, "scalar", 32, 3, key=jax.random.key(0)))
    >>> print(net(x, t).dd(x))
    d(u, x, x)
    """

    embedding: FourierEmbedding
    encoders: tuple[eqx.nn.Linear, eqx.nn.Linear]
    blocks: tuple[Block, ...]
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
        scale: float | Sequence[float] = 1.0,
        key: Key[Array, ""],
        dtype: Any = None,
    ) -> None:
        check_sizes("a PirateNet", in_size=in_size, out_size=out_size, width_size=width_size, depth=depth)
        if width_size % 2:
            raise FieldError(f"width_size of a PirateNet is even, for cosines and sines; got {width_size}.")
        # the paper has no 2 pi in its features
        waves = scales_of("a PirateNet", in_size, scale) / (2 * jnp.pi)
        first, second, third, end, *keys = jax.random.split(key, depth + 4)
        self.embedding = FourierEmbedding(in_size, width_size // 2, waves.tolist(), key=first, dtype=dtype)
        self.encoders = (
            dense(width_size, width_size, key=second, dtype=dtype),
            dense(width_size, width_size, key=third, dtype=dtype),
        )
        self.blocks = tuple(Block(width_size, one, dtype) for one in keys)
        self.last = dense(width_size, out_size, key=end, bias=False, dtype=dtype)
        self.activation = activation

    def features(self, point: Float[Array, " d"]) -> Float[Array, " width"]:
        """What the last layer combines: at the start the Fourier features themselves."""
        values = self.embedding(point)
        first, second = (self.activation(encoder(values)) for encoder in self.encoders)
        way = first - second

        def gate(through: Float[Array, " width"]) -> Float[Array, " width"]:
            return second + through * way

        for block in self.blocks:
            values = block(values, gate, self.activation)
        return values
