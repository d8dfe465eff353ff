"""Independent points."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key

from pinnace.points.sampler import Sampler, unit


class Uniform(Sampler):
    """Independent, evenly distributed points."""

    def draw(
        self, base: Any, key: Key[Array, ""], dtype: DTypeLike
    ) -> tuple[Int[Array, "size"], Float[Array, "size cube"]]:
        return self.cover.split(unit(jax.random.bits(key, (self.n, self.cover.dim), jnp.uint32), dtype))
