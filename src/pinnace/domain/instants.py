"""Time without space: the domain of an ordinary differential equation."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Float

from pinnace.domain.arrays import namespace
from pinnace.domain.domain import Domain
from pinnace.domain.patch import Patch
from pinnace.domain.shape import Shape
from pinnace.points import Cover


@dataclass(frozen=True)
class Point(Shape):
    """Space without extent: one point, no axes, no boundary."""

    axes: tuple[str, ...] = ()

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return ()

    def interior(self) -> Patch:
        return Patch(Cover(np.ones(1), np.ones((1, 0))), lambda piece, unit: unit)

    def boundary(self, name: str | None = None) -> Patch:
        return Patch(Cover(np.ones(0), np.ones((0, 0))), lambda piece, unit: unit)

    def signed_distance(self, points: Float[Array, "n 0"]) -> Float[Array, "n"]:
        return namespace(points).zeros(points.shape[0], points.dtype)

    def __repr__(self) -> str:
        return "point"


def time(t0: float, t1: float, *, name: str = "t") -> Domain:
    """The times from t0 to t1 alone, for an ordinary differential equation.

    Axis t, or `name`; regions "interior", "initial" (the one point t0) and "final" (t1). Raises DomainError
    unless t0 < t1, both finite.

    >>> import pinnace as pn
    >>> t = pn.domain.time(0, 10).variable("interior", 500)
    >>> t0 = pn.domain.time(0, 10).variable("initial")
    >>> t0.points.size
    1
    """
    return Domain(Point()).time(t0, t1, name=name)
