"""Coordinates beside space: a region over all times or parameters, or held at one time."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace.domain.arrays import namespace
from pinnace.domain.checks import short
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import between
from pinnace.points import Cover


@dataclass(frozen=True)
class Span:
    """The values from start to stop of time, or of a parameter."""

    start: float
    stop: float
    name: str = "t"
    is_time: bool = True

    def over(self, patch: Patch) -> Patch:
        """The region at all values, which become the last coordinate."""
        measures, lengths, accepts = patch.cover.measures, patch.cover.lengths, patch.accepts
        # seconds and metres do not compare: a grid takes time to be as long as the region is wide
        used = lengths > 0
        logs = np.where(used, np.log(np.where(used, lengths, 1)), 0).sum(axis=1, keepdims=True)
        own = np.exp(logs / np.maximum(used.sum(axis=1, keepdims=True), 1))
        cover = Cover(measures * (self.stop - self.start), np.hstack([lengths, own]))

        def place(piece: Int[Array, "n"], unit: Float[Array, "n cube"]) -> Float[Array, "n d"]:
            values = between(self.start, self.stop, unit[:, -1:])
            return namespace(unit).concatenate([patch.place(piece, unit[:, :-1]), values], axis=1)

        def inner(
            piece: Int[Array, "n"], unit: Float[Array, "n cube"], points: Float[Array, "n d"]
        ) -> Bool[Array, "n"]:
            assert accepts is not None
            return accepts(piece, unit[:, :-1], points[:, :-1])

        return Patch(cover, place, patch.normals, accepts and inner)

    def held(self, patch: Patch, instant: float) -> Patch:
        """The region at one value."""
        accepts = patch.accepts

        def place(piece: Int[Array, "n"], unit: Float[Array, "n cube"]) -> Float[Array, "n d"]:
            inner = patch.place(piece, unit)
            values = np.full((unit.shape[0], 1), instant, unit.dtype)
            return namespace(unit).concatenate([inner, values], axis=1)

        def inner(
            piece: Int[Array, "n"], unit: Float[Array, "n cube"], points: Float[Array, "n d"]
        ) -> Bool[Array, "n"]:
            assert accepts is not None
            return accepts(piece, unit, points[:, :-1])

        return Patch(patch.cover, place, patch.normals, accepts and inner)

    @property
    def bounds(self) -> str:
        """From where to where, as it is written."""
        return f"({short(self.start)}, {short(self.stop)})"

    def __repr__(self) -> str:
        return f"time{self.bounds}" if self.is_time else f"vary({self.name}={self.bounds})"
