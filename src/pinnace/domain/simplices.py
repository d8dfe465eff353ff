"""Triangles, tetrahedra, and simplices in any dimension."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from itertools import combinations
from operator import add
from typing import Any

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.checks import axis_names, place, written_place
from pinnace.domain.domain import Domain
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import margin
from pinnace.domain.rvachev import beyond, conjunction, joined
from pinnace.domain.shape import Shape
from pinnace.expr import Expr
from pinnace.points import Cover

EXACT = 4
"""Dimensions up to which distances outside are exact: beyond, there are too many edges to look at."""
THIN = 1e-12


@dataclass(frozen=True)
class Simplex(Shape):
    """All points between vertices, one more than there are axes. Face k is opposite of vertex k."""

    vertices: tuple[tuple[float, ...], ...]
    axes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"face_{k}" for k in range(self.dim + 1))

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple((min(column), max(column)) for column in zip(*self.vertices, strict=True))

    @cached_property
    def _corners(self) -> np.ndarray:
        return np.array(self.vertices)

    @cached_property
    def _planes(self) -> tuple[np.ndarray, np.ndarray]:
        """Outward normals [faces, dim], and the heights of the vertices over their faces."""
        edges = self._corners[1:] - self._corners[0]
        slopes = np.linalg.inv(edges)
        slopes = np.concatenate([-slopes.sum(axis=1, keepdims=True), slopes], axis=1).T
        heights = 1 / np.linalg.norm(slopes, axis=1)
        return -slopes * heights[:, None], heights

    def interior(self) -> Patch:
        edges = self._corners[1:] - self._corners[0]
        volume = abs(np.linalg.det(edges)) / math.factorial(self.dim)
        lengths = np.linalg.norm(edges, axis=1)
        return Patch(Cover(np.array([volume]), lengths[None]), self._inside)

    def boundary(self, name: str | None = None) -> Patch:
        faces = np.arange(self.dim + 1) if name is None else np.array([self.names.index(name)])
        corners = np.stack([np.delete(self._corners, face, axis=0) for face in faces])
        lengths = np.linalg.norm(corners[:, 1:] - corners[:, :1], axis=2)
        # the volume is the area of a face times the height over it, over the dimension
        areas = self.dim * self.interior().cover.measures / self._planes[1][faces]
        return Patch(Cover(areas, lengths), partial(self._on_faces, corners), partial(self._normals, faces))

    def _inside(self, piece: Int[Array, "n"], unit: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        heights = self._planes[1]
        inset = margin(self, min(heights), unit.dtype) / heights
        weights = inset.astype(unit.dtype) + (1 - inset.sum()) * _weights(unit)
        return weights @ self._corners.astype(unit.dtype)

    def _on_faces(
        self, corners: np.ndarray, piece: Int[Array, "n"], unit: Float[Array, "n cube"]
    ) -> Float[Array, "n dim"]:
        xp = namespace(piece, unit)
        own = xp.asarray(corners.astype(unit.dtype))[piece]
        return (_weights(unit)[:, :, None] * own).sum(axis=1)

    def _normals(self, faces: np.ndarray, points: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        xp = namespace(points)
        face = xp.argmin(abs(self._heights(points))[:, faces], axis=1)
        return xp.asarray(self._planes[0][faces].astype(points.dtype))[face]

    def _heights(self, points: Float[Array, "n dim"]) -> Float[Array, "n faces"]:
        """How far points are beyond the plane of each face."""
        normals = self._planes[0].astype(points.dtype)
        # seen from a vertex of the face
        seen = np.concatenate([self._corners[1:2], np.repeat(self._corners[:1], self.dim, axis=0)])
        return ((points[:, None, :] - seen.astype(points.dtype)) * normals).sum(axis=2)

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        """Distance to the boundary, negative inside; outside, above four dimensions, a lower bound of it."""
        xp, beyond = namespace(points), self._heights(points).max(axis=1)
        if self.dim > EXACT:
            return beyond
        return xp.where(beyond > 0, self._outer_distance(points), beyond)

    def _outer_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        """The nearest of vertices, and of edges, faces, ... above or below which a point is."""
        xp, found = namespace(points), []
        for count in range(1, self.dim + 1):
            corners = np.array([self._corners[list(some)] for some in combinations(range(self.dim + 1), count)])
            foot, edges = corners[:, 0], corners[:, 1:] - corners[:, :1]
            inverse = np.linalg.pinv(edges).astype(points.dtype)
            away = points[:, None, :] - foot.astype(points.dtype)
            weights = xp.einsum("nsd,sdk->nsk", away, inverse)
            gap = xp.linalg.norm(away - xp.einsum("nsk,skd->nsd", weights, edges.astype(points.dtype)), axis=2)
            over = (weights >= 0).all(axis=2) & (weights.sum(axis=2) <= 1)
            found.append(xp.where(over, gap, np.inf).min(axis=1))
        return xp.stack(found).min(axis=0)

    def on(self, points: Float[Array, "n dim"], tolerance: float, name: str | None = None) -> Bool[Array, "n"]:
        heights = self._heights(points)
        whole = abs(heights.max(axis=1)) <= tolerance
        return whole if name is None else whole & (abs(heights[:, self.names.index(name)]) <= tolerance)

    def _depths(self, coordinates: Sequence[Expr]) -> list[Expr]:
        """How far before the plane of each face."""
        found = []
        for face, normal in enumerate(self._planes[0]):
            foot = self.vertices[1 if face == 0 else 0]
            parts = [beyond(x, c) * -n for x, c, n in zip(coordinates, foot, normal.tolist(), strict=True) if n]
            found.append(reduce(add, parts))
        return found

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        return reduce(partial(conjunction, size=self._small, flat=flat > 0), self._depths(coordinates))

    def surfaces(self, name: str, coordinates: Sequence[Expr]) -> list[tuple[Expr, Expr | None]]:
        if name not in self.names:
            return []
        depths = self._depths(coordinates)
        own = depths.pop(self.names.index(name))
        return [(own, reduce(partial(conjunction, size=self._small), depths))]

    def distance(self, name: str | None, coordinates: Sequence[Expr], normalized: bool) -> Expr:
        if name is None:
            return self.depth(coordinates) if normalized else joined(self._depths(coordinates), self._small)
        return self._depths(coordinates)[self.names.index(name)]

    @property
    def _small(self) -> float:
        """What a box around it says badly of one that lies askew: its smallest height."""
        return float(min(self._planes[1]))

    def __repr__(self) -> str:
        return f"simplex({', '.join(map(written_place, self.vertices))})"


def _weights(unit: Float[Array, "n cube"]) -> Float[Array, "n corners"]:
    """The weights of one corner more than there are coordinates: parts of a stick broken evenly."""
    xp = namespace(unit)
    rest, parts = xp.ones_like(unit[:, 0]) if unit.shape[1] else xp.ones(unit.shape[0], unit.dtype), []
    for k in range(unit.shape[1]):
        left = (1 - unit[:, k]) ** (1 / (unit.shape[1] - k))
        parts.append(rest * (1 - left))
        rest = rest * left
    return xp.stack([*parts, rest], axis=1)


def simplex(*vertices: Sequence[float], names: Sequence[str] | None = None) -> Domain:
    """The simplex with these vertices: a triangle, a tetrahedron, and so on in any dimension.

    `vertices` are one more points than there are axes. Axes x, y; x, y, z; x1, x2, ... above three dimensions, or
    `names`; sides "face_0", "face_1", ..., each opposite of the vertex of that number. Raises DomainError for another
    number of vertices, and where they have no volume between them.

    >>> import pinnace as pn
    >>> triangle = pn.domain.simplex((0, 0), (1, 0), (0, 1))
    >>> x, y = triangle.variable("face_0", 100)
    """
    written = f"simplex({', '.join(map(repr, vertices))})"
    corners = tuple(place(vertex, f"vertex {k}", written) for k, vertex in enumerate(vertices))
    dims = sorted({len(corner) for corner in corners})
    if len(dims) != 1 or len(corners) != dims[0] + 1:
        raise DomainError(
            f"{written} takes one vertex more than there are axes, each with as many numbers as there are axes: three "
            f"of two for a triangle, four of three for a tetrahedron."
        )
    if dims[0] == 1:
        low, high = sorted(corner[0] for corner in corners)
        raise DomainError(f"{written} has one dimension: write interval({low:g}, {high:g}).")
    _solid(np.array(corners), written)
    return Domain(Simplex(corners, axis_names(names, dims[0])))


def _solid(corners: Any, written: str) -> None:
    edges = corners[1:] - corners[0]
    widths = np.linalg.svd(edges, compute_uv=False)
    if widths[-1] <= THIN * widths[0]:
        raise DomainError(f"{written} has no volume: its vertices lie in a plane, or on a line. Move one of them.")
