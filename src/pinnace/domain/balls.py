"""Disks, and balls in any dimension."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.checks import axis_names, place, positive, short, written_place
from pinnace.domain.domain import Domain
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import margin
from pinnace.domain.rvachev import beyond
from pinnace.domain.shape import Shape
from pinnace.domain.spheres import around, ball_volume, lengths_around, lengths_within, sphere_area, within
from pinnace.expr import Expr
from pinnace.points import Cover


@dataclass(frozen=True)
class Ball(Shape):
    """All points within a radius of a center."""

    center: tuple[float, ...]
    radius: float
    axes: tuple[str, ...]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple((c - self.radius, c + self.radius) for c in self.center)

    def interior(self) -> Patch:
        cover = Cover(np.array([ball_volume(self.dim) * self.radius**self.dim]), self._lengths(lengths_within))
        return Patch(cover, self._inside)

    def boundary(self, name: str | None = None) -> Patch:
        area = sphere_area(self.dim) * self.radius ** (self.dim - 1)
        cover = Cover(np.array([area]), self._lengths(lengths_around))
        return Patch(cover, lambda piece, unit: self._at(self.radius * around(unit)), self._normals)

    def _lengths(self, of_unit: Any) -> Float[np.ndarray, "1 cube"]:
        return self.radius * of_unit(self.dim)[None]

    def _inside(self, piece: Int[Array, "n"], unit: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        inset = margin(self, self.radius, unit.dtype)
        return self._at((self.radius - inset) * within(unit))

    def _at(self, away: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        center: Any = np.array(self.center, away.dtype)
        return center + away

    def _normals(self, points: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        away = points - np.array(self.center, points.dtype)
        return away / namespace(away).linalg.norm(away, axis=1, keepdims=True)

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        return namespace(points).linalg.norm(points - np.array(self.center, points.dtype), axis=1) - self.radius

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        squares = [beyond(x, c) ** 2 for x, c in zip(coordinates, self.center, strict=True)]
        return (self.radius**2 - sum(squares[1:], start=squares[0])) / (2 * self.radius)

    def __repr__(self) -> str:
        return f"ball(center={written_place(self.center)}, radius={short(self.radius)})"


class Disk(Ball):
    """A ball in the plane."""

    def __repr__(self) -> str:
        return f"disk(center={written_place(self.center)}, radius={short(self.radius)})"


def disk(
    center: tuple[float, float] = (0.0, 0.0), radius: float = 1.0, *, names: Sequence[str] | None = None
) -> Domain:
    """The disk around a center. Axes x, y, or `names`; no sides but "boundary".

    Raises DomainError unless the radius is positive and all numbers finite.

    >>> import pinnace as pn
    >>> xb, yb = pn.domain.disk(center=(0, 1), radius=2).variable("boundary", 200)
    >>> nx, ny = pn.normal(xb, yb)
    """
    written = f"disk(center={center!r}, radius={radius!r})"
    if not (isinstance(center, (tuple, list, np.ndarray)) and len(center) == 2):
        raise DomainError(f"the center in {written} is a pair of numbers, for example center=(0, 0).")
    return Domain(Disk(place(center, "the center", written), positive(radius, "radius", written), axis_names(names, 2)))


def ball(
    center: Sequence[float] = (0.0, 0.0, 0.0), radius: float = 1.0, *, names: Sequence[str] | None = None
) -> Domain:
    """The ball around a center, in as many dimensions as the center has numbers; in two a disk.

    Axes x, y, z; x1, x2, ... above three dimensions, or `names`; no sides but "boundary". Points are even in the
    volume and on the area in every dimension. Raises DomainError unless the radius is positive and all numbers are
    finite, and for one dimension, where it is an interval.

    >>> import pinnace as pn
    >>> x1, x2, x3, x4, x5 = pn.domain.ball(center=[0] * 5, radius=2).variable("interior", 1000)
    >>> pn.domain.ball().measure("boundary") / (4 * np.pi)
    1.0
    """
    written = f"ball(center={center!r}, radius={radius!r})"
    middle, size = place(center, "the center", written), positive(radius, "radius", written)
    if len(middle) == 1:
        ends = f"{short(middle[0] - size)}, {short(middle[0] + size)}"
        raise DomainError(f"{written} has one dimension: write interval({ends}).")
    kind = Disk if len(middle) == 2 else Ball
    return Domain(kind(middle, size, axis_names(names, len(middle))))
