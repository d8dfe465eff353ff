"""Shapes that flat facets bound: polygons and polyhedra, with a mesh of the inside or without."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.facets import distance, nearest, signed_distance
from pinnace.domain.flat import extents, normals_of, shrunk, sizes, spread
from pinnace.domain.outlines import facet, outline
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import between, margin
from pinnace.domain.shape import Shape
from pinnace.domain.voxels import Voxels, voxels_of
from pinnace.expr import Expr
from pinnace.points import Cover

PIECES = 64
"""Facets in a part of the boundary whose distance is made of the distances to each."""


@dataclass(frozen=True, eq=False)
class Faceted(Shape):
    """A part of the plane or of space that is bounded by segments or triangles. Compares by value."""

    facets: Float[np.ndarray, "facets dim dim"]
    """Corners of the facets; the outside is to the right of a segment, where the right hand says for a triangle."""
    cells: Float[np.ndarray, "cells dim+1 dim"] | None
    """Triangles or tetrahedra that fill the inside; None where only the facets are known."""
    parts: Mapping[str, Int[np.ndarray, "part"]]
    """Names of parts of the boundary, and the numbers of their facets."""
    axes: tuple[str, ...]
    written: str
    """How the shape is shown."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.parts)

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        corners = self.facets.reshape(-1, self.dim)
        return tuple(zip(corners.min(axis=0).tolist(), corners.max(axis=0).tolist(), strict=True))

    @cached_property
    def volume(self) -> float:
        """Area or volume of the inside, by the divergence theorem."""
        middle = self.facets.mean(axis=(0, 1))
        heights = np.sum((self.facets[:, 0] - middle) * self._outward, axis=1)
        return float(np.sum(heights * sizes(self.facets)) / self.dim)

    @cached_property
    def _outward(self) -> Float[np.ndarray, "facets dim"]:
        return normals_of(self.facets)

    def interior(self) -> Patch:
        if self.cells is not None:
            return Patch(Cover(sizes(self.cells), extents(self.cells)), partial(self._in_cells, self.cells))
        low, high = np.array(self.bounds).T
        cover = Cover(np.array([np.prod(high - low)]), (high - low)[None])
        return Patch(cover, lambda piece, unit: between(low, high, unit), accepts=self._inside)

    def _in_cells(
        self, cells: np.ndarray, piece: Int[Array, "n"], unit: Float[Array, "n cube"]
    ) -> Float[Array, "n dim"]:
        kept = namespace(piece).asarray(shrunk(cells, self._margin(unit.dtype)).astype(unit.dtype))
        return spread(kept[piece], unit)

    def _inside(
        self, piece: Int[Array, "n"], unit: Float[Array, "n cube"], points: Float[Array, "n dim"]
    ) -> Bool[Array, "n"]:
        return self._voxels.inside(points, self._margin(points.dtype))

    @cached_property
    def _voxels(self) -> Voxels:
        return voxels_of(self.facets)

    def _margin(self, dtype: DTypeLike) -> float:
        return margin(self, float(np.ptp(np.array(self.bounds), axis=1).min()), dtype)

    def boundary(self, name: str | None = None) -> Patch:
        chosen = np.arange(len(self.facets)) if name is None else self.parts[name]
        facets, outward = self.facets[chosen], self._outward[chosen]

        def place(piece: Int[Array, "n"], unit: Float[Array, "n cube"]) -> Float[Array, "n dim"]:
            return spread(namespace(piece).asarray(facets.astype(unit.dtype))[piece], unit)

        def normals(points: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
            return namespace(points).asarray(outward.astype(points.dtype))[nearest(points, facets)]

        return Patch(Cover(sizes(facets), extents(facets)), place, normals)

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        return signed_distance(points, self.facets)

    def on(self, points: Float[Array, "n dim"], tolerance: float, name: str | None = None) -> Bool[Array, "n"]:
        chosen = self.facets if name is None else self.facets[self.parts[name]]
        return distance(points, chosen) <= tolerance

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        return Expr("apply", tuple(coordinates), (outline(self, flat <= 0 or self.dim == 3), ()))

    def surfaces(self, name: str, coordinates: Sequence[Expr]) -> list[tuple[Expr, Expr | None]]:
        if name not in self.parts:
            return []
        if len(self.parts[name]) > PIECES:
            raise DomainError(
                f'"{name}" of {self!r} has {len(self.parts[name])} facets, and the distance to a part of a boundary is '
                f'for {PIECES} at most. Take the distance to "boundary", or a loss at the points of "{name}".'
            )
        return [facet(self.facets[number], coordinates) for number in self.parts[name]]

    def measure(self, name: str) -> float:
        return self.volume if name == "interior" else super().measure(name)

    @cached_property
    def _digest(self) -> bytes:
        found = hashlib.sha256(repr((self.axes, self.written, list(self.parts), self.facets.shape)).encode())
        for table in (self.facets, *([] if self.cells is None else [self.cells]), *self.parts.values()):
            found.update(np.ascontiguousarray(table).tobytes())
        return found.digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Faceted) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return self.written
