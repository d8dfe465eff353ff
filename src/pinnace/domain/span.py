"""Time: a region of space over all times, or held at one."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pinnace.domain.checks import short
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import between
from pinnace.points import Cover


@dataclass(frozen=True)
class Span:
    """The times from start to stop."""

    start: float
    stop: float
    name: str = "t"

    def over(self, patch: Patch) -> Patch:
        """The region at all times; time is the last coordinate."""
        lengths = patch.cover.lengths
        # seconds and metres do not compare: a grid takes time to be as long as the region is wide
        own = np.exp(np.log(lengths).mean(axis=1, keepdims=True)) if lengths.size else np.ones((len(lengths), 1))

        def place(piece: Int[Array, "n"], unit: Float[Array, "n cube"]) -> Float[Array, "n d"]:
            times = between(self.start, self.stop, unit[:, -1:])
            return jnp.concatenate([patch.place(piece, unit[:, :-1]), times], axis=1)

        return Patch(Cover(patch.cover.measures, np.hstack([lengths, own])), place, patch.normals)

    def held(self, patch: Patch, instant: float) -> Patch:
        """The region at one time."""

        def place(piece: Int[Array, "n"], unit: Float[Array, "n cube"]) -> Float[Array, "n d"]:
            space = patch.place(piece, unit)
            times = jnp.full_like(space, np.asarray(instant, unit.dtype), shape=(unit.shape[0], 1))
            return jnp.concatenate([space, times], axis=1)

        return Patch(patch.cover, place)

    def __repr__(self) -> str:
        return f"time({short(self.start)}, {short(self.stop)})"
