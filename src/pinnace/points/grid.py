"""Regular points."""

import math
from functools import cached_property

import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key

from pinnace.points.sampler import Sampler

Placed = tuple[Int[Array, "size"], Float[Array, "size cube"]]


class Grid(Sampler):
    """A full grid on each piece, points at the centres of equal cells, as nearly cubes as their number
    allows."""

    random = False

    @cached_property
    def counts(self) -> list[tuple[int, ...]]:
        """Cells along each axis, for each piece."""
        return [
            cells(share * self.n, lengths) for share, lengths in zip(self.cover.shares, self.cover.lengths, strict=True)
        ]

    @property
    def grid(self) -> tuple[int, ...] | None:
        return self.counts[0] if len(self.counts) == 1 else None

    @property
    def size(self) -> int:
        return sum(map(math.prod, self.counts))

    def base(self, dtype: DTypeLike) -> tuple[Int[np.ndarray, "size"], Float[np.ndarray, "size cube"]]:
        piece = np.repeat(np.arange(len(self.counts)), [math.prod(counts) for counts in self.counts])
        unit = np.concatenate([centres(counts) for counts in self.counts])
        return piece.astype(np.int32), unit.astype(dtype)

    def draw(self, base: Placed, key: Key[Array, ""], dtype: DTypeLike) -> Placed:
        return base


def cells(n: float, lengths: Float[np.ndarray, "cube"]) -> tuple[int, ...]:
    """Cells along each axis: about n in all, and about as long as wide; one along an axis without length.

    >>> import numpy as np
    >>> cells(1000, np.array([2.0, 1.0]))
    (45, 22)
    """
    used = lengths > 0
    logs = np.log(np.where(used, lengths, 1))
    counts = np.ones(len(lengths), int)
    rest = np.argsort(logs, kind="stable")  # the longest axis last: it makes up best for what rounding left
    rest = rest[used[rest]]
    left = math.log(max(n, 1.0))
    for done, axis in enumerate(rest):
        spacing = (logs[rest[done:]].sum() - left) / (len(rest) - done)
        counts[axis] = max(1, round(math.exp(min(logs[axis] - spacing, left))))
        left = max(left - math.log(counts[axis]), 0.0)
    return tuple(counts.tolist())


def centres(counts: tuple[int, ...]) -> Float[np.ndarray, "size cube"]:
    """The centres of the cells in the unit cube, the last axis fastest."""
    axes = [(np.arange(count) + 0.5) / count for count in counts]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(counts))
