"""Ellipses, which may be turned, with points even along the curve."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.checks import axis_names, place, positive, real, short, written_place
from pinnace.domain.domain import Domain
from pinnace.domain.patch import Patch
from pinnace.domain.quantiles import Quantiles
from pinnace.domain.rounding import margin
from pinnace.domain.rvachev import beyond, within_ellipsoid
from pinnace.domain.shape import Shape
from pinnace.domain.spheres import lengths_within, within
from pinnace.expr import Expr
from pinnace.points import Cover

NODES = 257


@dataclass(frozen=True)
class Ellipse(Shape):
    """All points of an ellipse around a center, its first axis turned by an angle from that of space."""

    center: tuple[float, float]
    radii: tuple[float, float]
    angle: float
    axes: tuple[str, ...]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        reach = np.hypot(*(self._turn * np.array(self.radii)).T)
        return tuple((c - r, c + r) for c, r in zip(self.center, reach.tolist(), strict=True))

    @property
    def _turn(self) -> np.ndarray:
        c, s = math.cos(self.angle), math.sin(self.angle)
        return np.array([[c, -s], [s, c]]) if self.angle else np.eye(2)

    def interior(self) -> Patch:
        lengths = np.array(self.radii) * lengths_within(2)
        return Patch(Cover(np.array([math.pi * math.prod(self.radii)]), lengths[None]), self._inside)

    def boundary(self, name: str | None = None) -> Patch:
        around = 4 * _quarter(*self.radii).total
        return Patch(Cover(np.array([around]), np.array([[around]])), self._on_curve, self._normals)

    def _inside(self, piece: Int[Array, "n"], unit: Float[Array, "n 2"]) -> Float[Array, "n 2"]:
        inset = margin(self, min(self.radii), unit.dtype)
        return self._at((1 - inset / min(self.radii)) * within(unit))

    def _on_curve(self, piece: Int[Array, "n"], unit: Float[Array, "n 1"]) -> Float[Array, "n 2"]:
        xp, turns = namespace(unit), 4 * unit[:, 0]
        quarter = xp.clip(xp.floor(turns), 0, 3)
        back = quarter % 2 == 1
        part = turns - quarter
        angle = _quarter(*self.radii)(xp.where(back, 1 - part, part))
        right, up = xp.where((quarter == 0) | (quarter == 3), 1, -1), xp.where(quarter < 2, 1, -1)
        return self._at(xp.stack([right * xp.cos(angle), up * xp.sin(angle)], axis=1))

    def _at(self, unit: Float[Array, "n 2"]) -> Float[Array, "n 2"]:
        center: Any = np.array(self.center, unit.dtype)
        return center + (unit * np.array(self.radii, unit.dtype)) @ self._turn.T.astype(unit.dtype)

    def _own(self, points: Float[Array, "n 2"]) -> Float[Array, "n 2"]:
        return (points - np.array(self.center, points.dtype)) @ self._turn.astype(points.dtype)

    def _normals(self, points: Float[Array, "n 2"]) -> Float[Array, "n 2"]:
        away = self._own(points) / np.array(self.radii, points.dtype) ** 2
        return (away / namespace(away).linalg.norm(away, axis=1, keepdims=True)) @ self._turn.T.astype(points.dtype)

    def signed_distance(self, points: Float[Array, "n 2"]) -> Float[Array, "n"]:
        """Distance to the boundary near it, to first order; farther away with the right sign."""
        return about(self._own(points), self.radii)

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        away = [beyond(x, c) for x, c in zip(coordinates, self.center, strict=True)]
        if self.angle:
            (c, s), (x, y) = (math.cos(self.angle), math.sin(self.angle)), away
            away = [c * x + s * y, c * y - s * x]
        return within_ellipsoid(away, self.radii)

    def __repr__(self) -> str:
        turned = f", angle={short(self.angle)}" if self.angle else ""
        return f"ellipse(center={written_place(self.center)}, radii={written_place(self.radii)}{turned})"


def about(away: Float[Array, "n dim"], radii: Sequence[float]) -> Float[Array, "n"]:
    """The signed distance to an ellipsoid at points seen from its center: exact in sign, and next to it to first order.

    >>> import numpy as np
    >>> print(about(np.array([[2.001, 0.0], [0.0, 0.0]]), (2.0, 1.0)).round(6))
    [ 0.001 -1.   ]
    """
    xp, scaled = namespace(away), away / np.array(radii, away.dtype)
    level = xp.linalg.norm(scaled, axis=1)
    slope = xp.linalg.norm(scaled / np.array(radii, away.dtype), axis=1)
    at_center = level == 0
    first = (level - 1) * level / xp.where(at_center, 1, slope)
    return xp.maximum(xp.where(at_center, -min(radii), first), -min(radii))


@cache
def _quarter(first: float, second: float) -> Quantiles:
    """The angles that cut a quarter of the curve into lengths of given shares."""
    flat = min(first, second) / max(first, second)
    # the speed changes fast where it is slow, over an angle of about the ratio of the radii
    nodes = flat * np.sinh(np.linspace(0, 1, NODES) * np.arcsinh(np.pi / 2 / flat))
    nodes[-1] = np.pi / 2
    nodes = nodes if first >= second else np.pi / 2 - nodes[::-1]
    return Quantiles(lambda t, xp: xp.sqrt((first * xp.sin(t)) ** 2 + (second * xp.cos(t)) ** 2), nodes)


def ellipse(
    center: Sequence[float], radii: Sequence[float], angle: float = 0.0, *, names: Sequence[str] | None = None
) -> Domain:
    """The ellipse around a center with these two radii (half the lengths of its axes), turned by an angle.

    The first axis points along x where `angle` is 0, and is turned from x towards y, in radians. Boundary points are
    even along the curve. Axes x, y, or `names`; no sides but "boundary". Raises DomainError unless both radii are
    positive and all numbers finite.

    >>> import pinnace as pn
    >>> x, y = pn.domain.ellipse((0, 0), (2, 1), angle=0.3).variable("boundary", 200)
    """
    written = f"ellipse(center={center!r}, radii={radii!r}, angle={angle!r})"
    middle, sizes = place(center, "the center", written), place(radii, "radii", written)
    if len(middle) != 2 or len(sizes) != 2:
        raise DomainError(f"{written} takes two numbers for the center and two for the radii; in space, ellipsoid.")
    a, b = (positive(size, "radii", written) for size in sizes)
    turn = real(angle, f"the angle in {written}")
    return Domain(Ellipse((middle[0], middle[1]), (a, b), turn, axis_names(names, 2)))
