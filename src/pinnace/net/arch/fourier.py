"""Random Fourier features: networks that see high frequencies from the start."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from pinnace._errors import FieldError
from pinnace.net.arch.dense import dense
from pinnace.net.arch.last import LastLinear
from pinnace.net.arch.sizes import check_sizes, scales_of
from pinnace.optim import Untrained


class FourierEmbedding(eqx.Module):
    """A point as cosines and sines of random frequencies: `[cos(2 pi B x), sin(2 pi B x)]`, twice `features` numbers.

    The entries of B are normal with deviation `scale`, a number or one for each of `in_size` coordinates: about the
    highest number of waves on a length of 1. They are not trained. Goes before any network:
    `eqx.nn.Sequential([embedding, network])`. Raises FieldError for sizes below 1.

    Source: Tancik et al. 2020, arXiv 2006.10739.

    >>> import jax, jax.numpy as jnp
    >>> FourierEmbedding(2, 16, key=jax.random.key(0))(jnp.zeros(2)).shape
    (32,)
    """

    phases: Untrained
    """2 pi B, `[features, in_size]`."""

    def __init__(
        self,
        in_size: int,
        features: int,
        scale: float | Sequence[float] = 1.0,
        *,
        key: Key[Array, ""],
        dtype: Any = None,
    ) -> None:
        check_sizes("a Fourier embedding", in_size=in_size, features=features)
        scales = scales_of("a Fourier embedding", in_size, scale)
        real = jnp.result_type(float) if dtype is None else dtype
        drawn = jax.random.normal(key, (features, in_size), real)
        self.phases = Untrained(drawn * jnp.asarray(2 * jnp.pi * scales, real))

    def __call__(self, point: Float[Array, " d"], *, key: Any = None) -> Float[Array, " twice"]:
        """The point in features."""
        phases = self.phases.value @ point
        return jnp.concatenate([jnp.cos(phases), jnp.sin(phases)])


class FourierFeatures(LastLinear):
    """A network of random Fourier features, of one or several scales: for solutions that oscillate or have layers.

    Each of the `scales` (a number, or one for each coordinate) has its own embedding of `features` frequencies, by
    default half of `width_size`; all go through the same `depth` hidden layers, and the last layer combines what
    comes out. Frequencies are not trained, weights begin as Glorot's. Other sizes are those of `eqx.nn.MLP`. Raises
    FieldError for sizes below 1 and scales that are not positive.

    Source: Tancik et al. 2020, arXiv 2006.10739; several scales: Wang, Wang, Perdikaris 2021, arXiv 2012.10047.

    >>> import jax, pinnace as pn
    >>> x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 100)
    >>> net = pn.nn(pn.arch.FourierFeatures(2, "scalar", 32, 2, scales=[1.0, (10.0, 1.0)], key=jax.random.key(0)))
    >>> print(net(x, t).dd(x))
    d(u, x, x)
    """

    embeddings: tuple[FourierEmbedding, ...]
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
        scales: float | Sequence[float | Sequence[float]] = 1.0,
        features: int | None = None,
        key: Key[Array, ""],
        dtype: Any = None,
    ) -> None:
        check_sizes(
            "a network of Fourier features", in_size=in_size, out_size=out_size, width_size=width_size, depth=depth
        )
        several: list[Any] = list(scales) if isinstance(scales, Sequence) else [scales]
        if not several:
            raise FieldError("a network of Fourier features has at least one scale, scales=1.0; got none.")
        count = max(1, width_size // 2) if features is None else features
        keys = jax.random.split(key, len(several) + depth + 1)
        self.embeddings = tuple(
            FourierEmbedding(in_size, count, scale, key=one, dtype=dtype)
            for scale, one in zip(several, keys, strict=False)
        )
        sizes = [2 * count, *[width_size] * depth]
        self.hidden = tuple(
            dense(below, above, key=one, dtype=dtype)
            for below, above, one in zip(sizes[:-1], sizes[1:], keys[len(several) : -1], strict=True)
        )
        self.last = dense(len(several) * width_size, out_size, key=keys[-1], dtype=dtype)
        self.activation = activation

    def features(self, point: Float[Array, " d"]) -> Float[Array, " width"]:
        """What the last layer combines: the hidden layers of each embedding, side by side."""
        found = []
        for embedding in self.embeddings:
            values = embedding(point)
            for layer in self.hidden:
                values = self.activation(layer(values))
            found.append(values)
        return jnp.concatenate(found)
