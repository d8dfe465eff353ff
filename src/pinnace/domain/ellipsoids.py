"""Ellipsoids in any dimension."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.checks import axis_names, place, positive, short, written_place
from pinnace.domain.domain import Domain
from pinnace.domain.ellipses import Ellipse, about
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import margin
from pinnace.domain.rvachev import beyond, within_ellipsoid
from pinnace.domain.shape import Shape
from pinnace.domain.spheres import around, ball_volume, lengths_around, lengths_within, sphere_area, within
from pinnace.expr import Expr
from pinnace.points import Cover

GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Ellipsoid(Shape):
    """All points of an ellipsoid around a center, its axes along those of space."""

    center: tuple[float, ...]
    radii: tuple[float, ...]
    axes: tuple[str, ...]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple((c - r, c + r) for c, r in zip(self.center, self.radii, strict=True))

    @property
    def _mean(self) -> float:
        return math.exp(sum(map(math.log, self.radii)) / self.dim)

    def interior(self) -> Patch:
        volume = ball_volume(self.dim) * math.prod(self.radii)
        return Patch(Cover(np.array([volume]), self._mean * lengths_within(self.dim)[None]), self._inside)

    def boundary(self, name: str | None = None) -> Patch:
        # an even point of the sphere is stretched, and accepted by how much area it stands for; the last coordinate
        # of the cube decides, and turns the others, so that no two points of a grid lie on each other
        most = sphere_area(self.dim) * math.prod(self.radii) / min(self.radii)
        lengths = self._mean * np.concatenate([lengths_around(self.dim), [1.0]])
        return Patch(Cover(np.array([most]), lengths[None]), self._on_surface, self._normals, self._by_area)

    def _inside(self, piece: Int[Array, "n"], unit: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        inset = margin(self, min(self.radii), unit.dtype)
        return self._at((1 - inset / min(self.radii)) * within(unit))

    def _on_surface(self, piece: Int[Array, "n"], unit: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        return self._at(_sphere(unit))

    def _by_area(
        self, piece: Int[Array, "n"], unit: Float[Array, "n dim"], points: Float[Array, "n dim"]
    ) -> Bool[Array, "n"]:
        stretched = _sphere(unit) / (np.array(self.radii, unit.dtype) / min(self.radii))
        return unit[:, -1] < namespace(unit).linalg.norm(stretched, axis=1)

    def _at(self, unit: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        center: Any = np.array(self.center, unit.dtype)
        return center + unit * np.array(self.radii, unit.dtype)

    def _normals(self, points: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        away = (points - np.array(self.center, points.dtype)) / np.array(self.radii, points.dtype) ** 2
        return away / namespace(away).linalg.norm(away, axis=1, keepdims=True)

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        """Distance to the boundary near it, to first order; farther away with the right sign."""
        return about(points - np.array(self.center, points.dtype), self.radii)

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        away = [beyond(x, c) for x, c in zip(coordinates, self.center, strict=True)]
        return within_ellipsoid(away, self.radii)

    def measure(self, name: str) -> float:
        return self._area() if name == "boundary" else super().measure(name)

    def _area(self) -> float:
        """The mean of |z / radii| over normal z, by sqrt(q) = integral of (1 - exp(-s q)) s^(-3/2) / (2 sqrt(pi)): a
        sum over s = exp(x), which converges faster than any power."""
        step, x = 0.125, np.arange(-90, 90, 0.125)
        squares = np.array([(min(self.radii) / radius) ** 2 for radius in self.radii])
        falls = -np.expm1(-0.5 * np.log1p(2 * np.exp(x)[:, None] * squares).sum(axis=1))
        stretch = step * (falls * np.exp(-x / 2)).sum() / (2 * math.sqrt(math.pi))
        length = math.sqrt(2) * math.exp(math.lgamma((self.dim + 1) / 2) - math.lgamma(self.dim / 2))
        return float(sphere_area(self.dim) * math.prod(self.radii) / min(self.radii) * stretch / length)

    def __repr__(self) -> str:
        return f"ellipsoid(center={written_place(self.center)}, radii={written_place(self.radii)})"


def _sphere(unit: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
    turned = (unit[:, -2:-1] + GOLDEN * unit[:, -1:]) % 1
    return around(namespace(unit).concatenate([unit[:, :-2], turned], axis=1))


def ellipsoid(center: Sequence[float], radii: Sequence[float], *, names: Sequence[str] | None = None) -> Domain:
    """The ellipsoid around a center with these radii along the axes, in any dimension; in two an ellipse.

    Axes x, y, z; x1, x2, ... above three dimensions, or `names`; no sides but "boundary". Boundary points are even in
    area: drawn on a sphere, stretched, and accepted by the area that they stand for. Raises DomainError unless all
    radii are positive, as many as the center has numbers, all finite, and for one dimension, where it is an interval.

    >>> import pinnace as pn
    >>> x, y, z = pn.domain.ellipsoid((0, 0, 0), (3, 2, 1)).variable("boundary", 1000)
    """
    written = f"ellipsoid(center={center!r}, radii={radii!r})"
    middle, sizes = place(center, "the center", written), place(radii, "radii", written)
    if len(middle) != len(sizes):
        raise DomainError(
            f"{written} has {len(middle)} numbers for the center and {len(sizes)} radii: one of each an axis."
        )
    each = tuple(positive(size, "radii", written) for size in sizes)
    if len(middle) == 1:
        ends = f"{short(middle[0] - each[0])}, {short(middle[0] + each[0])}"
        raise DomainError(f"{written} has one dimension: write interval({ends}).")
    if len(middle) == 2:
        return Domain(Ellipse((middle[0], middle[1]), (each[0], each[1]), 0.0, axis_names(names, 2)))
    return Domain(Ellipsoid(middle, each, axis_names(names, len(middle))))
