"""Disks."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.checks import axis_names, real, short
from pinnace.domain.domain import Domain
from pinnace.domain.patch import Patch
from pinnace.domain.rvachev import beyond
from pinnace.domain.shape import Shape
from pinnace.expr import Expr
from pinnace.points import Cover

SAFETY = 8
"""Rounding errors that the interior keeps away from the circle; a point takes less than 4."""


@dataclass(frozen=True)
class Disk(Shape):
    """All points of the plane within a radius of a center."""

    center: tuple[float, float]
    radius: float
    axes: tuple[str, ...]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple((c - self.radius, c + self.radius) for c in self.center)

    def interior(self) -> Patch:
        # a cell of the grid is as wide as long at the mean radius
        return Patch(Cover(np.ones(1), np.array([[self.radius, np.pi * self.radius]])), self._inside)

    def boundary(self, pieces: Sequence[int] | None = None) -> Patch:
        cover = Cover(np.ones(1), np.array([[2 * np.pi * self.radius]]))
        return Patch(cover, lambda piece, unit: self._at(self.radius, unit[:, 0]), self._normals)

    def _inside(self, piece: Int[Array, "n"], unit: Float[Array, "n 2"]) -> Float[Array, "n 2"]:
        precision = jnp.finfo(unit.dtype)
        margin = SAFETY * float(precision.eps) * (max(map(abs, self.center)) + self.radius)
        if margin > self.radius / 100:
            raise DomainError(
                f"{self!r} is too small, so far from the origin, for {precision.dtype} numbers. Move the "
                f'origin, or compute in float64: jax.config.update("jax_enable_x64", True).'
            )
        return self._at((self.radius - margin) * jnp.sqrt(unit[:, 0]), unit[:, 1])

    def _at(self, radius: float | Float[Array, "n"], turn: Float[Array, "n"]) -> Float[Array, "n 2"]:
        angle = 2 * jnp.pi * turn
        around = jnp.stack([radius * jnp.cos(angle), radius * jnp.sin(angle)], axis=1)
        return jnp.array(self.center, turn.dtype) + around

    def _normals(self, points: Float[Array, "n 2"]) -> Float[Array, "n 2"]:
        away = points - np.array(self.center, points.dtype)
        return away / jnp.linalg.norm(away, axis=1, keepdims=True)

    def signed_distance(self, points: Float[Array, "n 2"]) -> Float[Array, "n"]:
        return jnp.linalg.norm(points - np.array(self.center, points.dtype), axis=1) - self.radius

    def depth(self, coordinates: Sequence[Expr]) -> Expr:
        squares = [beyond(x, c) ** 2 for x, c in zip(coordinates, self.center, strict=True)]
        return (self.radius**2 - sum(squares[1:], start=squares[0])) / (2 * self.radius)

    def __repr__(self) -> str:
        return f"disk(center=({', '.join(map(short, self.center))}), radius={short(self.radius)})"


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
    middle = (real(center[0], f"the center in {written}"), real(center[1], f"the center in {written}"))
    size = real(radius, f"the radius in {written}")
    if size <= 0:
        raise DomainError(f"the radius in {written} is not positive: a disk needs radius > 0.")
    return Domain(Disk(middle, size, axis_names(names, 2)))
