"""Pieces that are single points."""

from typing import Any

import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key

from pinnace.points.sampler import Sampler


class Fixed(Sampler):
    """Each piece once, whatever n: for regions that consist of finitely many points."""

    random = False

    @property
    def size(self) -> int:
        return len(self.cover.measures)

    def draw(
        self, base: Any, key: Key[Array, ""], dtype: DTypeLike
    ) -> tuple[Int[Array, "size"], Float[Array, "size cube"]]:
        return jnp.arange(self.size), jnp.zeros((self.size, 0), dtype)
