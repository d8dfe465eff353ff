"""Some of the points of another sampler."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key

from pinnace.points.sampler import Sampler


@dataclass(frozen=True, eq=False)
class Picked(Sampler):
    """Those points of a sampler without chance that were picked before, in their order."""

    whole: Sampler
    rows: Int[np.ndarray, "size"]

    random = False

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def grid(self) -> tuple[int, ...] | None:
        return self.whole.grid if self.size == self.whole.size else None

    def base(self, dtype: DTypeLike) -> Any:
        return jax.tree.map(lambda column: column[self.rows], self.whole.base(dtype))

    def draw(
        self, base: Any, key: Key[Array, ""], dtype: DTypeLike
    ) -> tuple[Int[Array, "size"], Float[Array, "size cube"]]:
        piece, unit = base
        return jnp.asarray(piece), jnp.asarray(unit)
