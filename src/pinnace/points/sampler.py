"""The contract of samplers, and the bits that random ones are made of."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key, UInt32

from pinnace.points.cover import Cover


@dataclass(frozen=True, eq=False)
class Sampler(ABC):
    """A way to fill the unit cubes of a cover with about `n` points.

    `base(dtype)` makes, on the host, the arrays that no key changes; `draw(base, key, dtype)` the points, the
    piece of each and its place in the unit cube: pure, and traced inside the step.
    """

    n: int
    cover: Cover

    random: ClassVar[bool] = True
    """Whether another key gives other points."""

    @property
    def size(self) -> int:
        """How many points it really gives."""
        return self.n

    @property
    def grid(self) -> tuple[int, ...] | None:
        """How many points it has along each axis of its one cube, where they are a full grid; else None."""
        return None

    def base(self, dtype: DTypeLike) -> Any:
        """Arrays that no key changes; none, where nothing is said."""
        return ()

    @abstractmethod
    def draw(
        self, base: Any, key: Key[Array, ""], dtype: DTypeLike
    ) -> tuple[Int[Array, "size"], Float[Array, "size cube"]]:
        """The points of one key."""


def unit(bits: UInt32[Array, "..."], dtype: DTypeLike) -> Float[Array, "..."]:
    """Numbers in the open interval (0, 1), as many leading bits of each as the precision holds exactly.

    >>> import jax.numpy as jnp
    >>> print(unit(jnp.array([0, 1 << 31], jnp.uint32), jnp.float32) > jnp.array([0.0, 0.5]))
    [ True  True]
    """
    kept = min(32, jnp.finfo(dtype).nmant)
    # half a step up: neither 0 nor 1, so that no point of an interior starts on the boundary
    return ((bits >> (32 - kept)).astype(dtype) + 0.5) * 2.0**-kept
