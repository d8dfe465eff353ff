"""What is between two spheres with one center, in any dimension."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.checks import axis_names, place, positive, short, written_place
from pinnace.domain.domain import Domain
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import margin
from pinnace.domain.rvachev import joined, within_sphere
from pinnace.domain.shape import Shape
from pinnace.domain.spheres import around, ball_volume, lengths_around, sphere_area
from pinnace.expr import Expr
from pinnace.points import Cover

SIDES = ("inner", "outer")


@dataclass(frozen=True)
class Annulus(Shape):
    """All points whose distance from a center is between two radii."""

    center: tuple[float, ...]
    inner: float
    outer: float
    axes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return SIDES

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple((c - self.outer, c + self.outer) for c in self.center)

    @property
    def _radii(self) -> np.ndarray:
        return np.array([self.inner, self.outer])

    def interior(self) -> Patch:
        hollow = (self.inner / self.outer) ** self.dim
        volume = ball_volume(self.dim) * self.outer**self.dim * (1 - hollow)
        middle = (self.inner + self.outer) / 2
        lengths = np.concatenate([[self.outer - self.inner], middle * lengths_around(self.dim)])
        return Patch(Cover(np.array([volume]), lengths[None]), self._inside)

    def boundary(self, name: str | None = None) -> Patch:
        sides = np.arange(2) if name is None else np.array([SIDES.index(name)])
        radii = self._radii[sides]
        cover = Cover(sphere_area(self.dim) * radii ** (self.dim - 1), radii[:, None] * lengths_around(self.dim))
        return Patch(cover, partial(self._on_spheres, radii), partial(self._normals, sides))

    def _inside(self, piece: Int[Array, "n"], unit: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        inset = margin(self, self.outer - self.inner, unit.dtype)
        low, high = self.inner + inset, self.outer - inset
        hollow = (low / high) ** self.dim
        radius = high * (hollow + unit[:, :1] * (1 - hollow)) ** (1 / self.dim)
        return self._at(namespace(unit).clip(radius, low, high) * around(unit[:, 1:]))

    def _on_spheres(
        self, radii: np.ndarray, piece: Int[Array, "n"], unit: Float[Array, "n cube"]
    ) -> Float[Array, "n dim"]:
        radius = namespace(piece, unit).asarray(radii.astype(unit.dtype))[piece]
        return self._at(radius[:, None] * around(unit))

    def _at(self, away: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        center: Any = np.array(self.center, away.dtype)
        return center + away

    def _away(self, points: Float[Array, "n dim"]) -> tuple[Float[Array, "n dim"], Float[Array, "n 1"]]:
        away = points - np.array(self.center, points.dtype)
        return away, namespace(points).linalg.norm(away, axis=1, keepdims=True)

    def _normals(self, sides: np.ndarray, points: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        xp, (away, radius) = namespace(points), self._away(points)
        side = xp.argmin(abs(radius - self._radii[sides].astype(points.dtype)), axis=1)
        turned = xp.asarray((2.0 * sides - 1).astype(points.dtype))[side]
        return turned[:, None] * away / radius

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        radius = self._away(points)[1][:, 0]
        return namespace(points).maximum(self.inner - radius, radius - self.outer)

    def on(self, points: Float[Array, "n dim"], tolerance: float, name: str | None = None) -> Bool[Array, "n"]:
        radii = self._radii if name is None else self._radii[[SIDES.index(name)]]
        return (abs(self._away(points)[1] - radii) <= tolerance).any(axis=1)

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        return joined([self.distance(name, coordinates, True) for name in SIDES], self.size, True)

    def surfaces(self, name: str, coordinates: Sequence[Expr]) -> list[tuple[Expr, Expr | None]]:
        return [(self.distance(name, coordinates, True), None)] if name in SIDES else []

    def distance(self, name: str | None, coordinates: Sequence[Expr], normalized: bool) -> Expr:
        if name is None:
            return self.depth(coordinates)
        outward = within_sphere(coordinates, self.center, self.outer if name == "outer" else self.inner)
        return outward if name == "outer" else -outward

    def __repr__(self) -> str:
        return f"annulus(center={written_place(self.center)}, inner={short(self.inner)}, outer={short(self.outer)})"


def annulus(center: Sequence[float], inner: float, outer: float, *, names: Sequence[str] | None = None) -> Domain:
    """What is between two circles, or spheres, around one center: a ring, a shell, in any dimension.

    `center` has one number an axis. Axes x, y; x, y, z; x1, x2, ... above three dimensions, or `names`; sides "inner"
    and "outer". Raises DomainError unless 0 < inner < outer, all numbers finite, and for one dimension.

    >>> import pinnace as pn
    >>> pipe = pn.domain.annulus((0, 0), 0.5, 1)
    >>> x, y = pipe.variable("inner", 100)
    """
    written = f"annulus(center={center!r}, inner={inner!r}, outer={outer!r})"
    middle = place(center, "the center", written)
    low, high = positive(inner, "inner", written), positive(outer, "outer", written)
    if low >= high:
        raise DomainError(f"{written} is empty: it needs inner < outer.")
    if len(middle) == 1:
        (c,) = middle
        left, right = f"{short(c - high)}, {short(c - low)}", f"{short(c + low)}, {short(c + high)}"
        raise DomainError(f"{written} has one dimension: write interval({left}) | interval({right}).")
    return Domain(Annulus(middle, low, high, axis_names(names, len(middle))))
