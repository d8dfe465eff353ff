"""Intervals, rectangles and boxes in any dimension."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.checks import axis_names, short, span_of
from pinnace.domain.domain import Domain
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import between as uniform_between
from pinnace.domain.rvachev import between, beyond, conjunction, joined
from pinnace.domain.shape import Shape
from pinnace.expr import Expr
from pinnace.points import Cover

OWN_NAMES = (("left", "right"), ("bottom", "top"))


@dataclass(frozen=True)
class Box(Shape):
    """All points between two bounds on each axis. Faces 2 k and 2 k + 1 are the two ends of axis k."""

    ranges: tuple[tuple[float, float], ...]
    axes: tuple[str, ...]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return self.ranges

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._faces)

    @property
    def _faces(self) -> Mapping[str, int]:
        own = [name for pair in OWN_NAMES[: self.dim] for name in pair] if self.dim <= len(OWN_NAMES) else []
        each = [f"{axis}_{end}" for axis in self.axes for end in ("min", "max")]
        return {name: face for names in (own, each) for face, name in enumerate(names)}

    @property
    def _low(self) -> np.ndarray:
        return np.array([low for low, _ in self.ranges])

    @property
    def _high(self) -> np.ndarray:
        return np.array([high for _, high in self.ranges])

    def interior(self) -> Patch:
        lengths = self._high - self._low
        return Patch(
            Cover(np.array([lengths.prod()]), lengths[None]),
            lambda piece, unit: uniform_between(self._low, self._high, unit),
        )

    def boundary(self, name: str | None = None) -> Patch:
        faces = np.arange(2 * self.dim) if name is None else np.array([self._faces[name]])
        across = np.array([np.delete(self._high - self._low, face // 2) for face in faces])
        return Patch(Cover(across.prod(axis=1), across), partial(self._on_faces, faces), partial(self._normals, faces))

    def _on_faces(
        self, faces: np.ndarray, piece: Int[Array, "n"], unit: Float[Array, "n cube"]
    ) -> Float[Array, "n dim"]:
        xp = namespace(piece, unit)
        axis, upper = xp.divmod(xp.asarray(faces)[piece][:, None], 2)
        # the coordinates of the face with a gap at its own axis
        gap = xp.zeros((unit.shape[0], 1), unit.dtype)
        before, after = xp.concatenate([unit, gap], axis=1), xp.concatenate([gap, unit], axis=1)
        each = np.arange(self.dim)
        inside = uniform_between(self._low, self._high, xp.where(each < axis, before, after))
        low, high = self._low.astype(unit.dtype), self._high.astype(unit.dtype)
        return xp.where(each == axis, xp.where(upper == 1, high, low), inside)

    def _normals(self, faces: np.ndarray, points: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        xp, ends = namespace(points), np.array(self.ranges, points.dtype)
        gaps = abs(points[:, :, None] - ends).reshape(points.shape[0], -1)
        face = xp.asarray(faces)[xp.argmin(gaps[:, faces], axis=1)]
        outward = np.zeros((2 * self.dim, self.dim), points.dtype)
        outward[0::2], outward[1::2] = 0 - np.eye(self.dim), np.eye(self.dim)
        return xp.asarray(outward)[face]

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        xp = namespace(points)
        beyond = xp.maximum(self._low - points, points - self._high)
        return xp.linalg.norm(xp.maximum(beyond, 0), axis=1) + xp.minimum(beyond.max(axis=1), 0)

    def on(self, points: Float[Array, "n dim"], tolerance: float, name: str | None = None) -> Bool[Array, "n"]:
        whole = super().on(points, tolerance)
        if name is None:
            return whole
        axis, end = divmod(self._faces[name], 2)
        return whole & (abs(points[:, axis] - self.ranges[axis][end]) <= tolerance)

    def _across(self, coordinates: Sequence[Expr]) -> list[Expr]:
        return [between(x, *ends) for x, ends in zip(coordinates, self.ranges, strict=True)]

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        return reduce(partial(conjunction, size=self.size, flat=flat > 0), self._across(coordinates))

    def surfaces(self, name: str, coordinates: Sequence[Expr]) -> list[tuple[Expr, Expr | None]]:
        if name not in self._faces:
            return []
        others = self._across(coordinates)
        del others[self._faces[name] // 2]
        inside = reduce(partial(conjunction, size=self.size), others) if others else None
        return [(self.distance(name, coordinates, True), inside)]

    def distance(self, name: str | None, coordinates: Sequence[Expr], normalized: bool) -> Expr:
        if name is None:
            return self.depth(coordinates) if normalized else joined(self._across(coordinates), self.size)
        axis, upper = divmod(self._faces[name], 2)
        low, high = self.ranges[axis]
        return high - coordinates[axis] if upper else beyond(coordinates[axis], low)

    def __repr__(self) -> str:
        pairs = [f"{short(low)}, {short(high)}" for low, high in self.ranges]
        kind = {1: "interval", 2: "rectangle"}.get(self.dim, "box")
        return f"{kind}({', '.join(pairs if self.dim == 1 else map('({})'.format, pairs))})"


def interval(a: float, b: float, *, names: Sequence[str] | None = None) -> Domain:
    """The interval from a to b. Axis x; sides "left" and "right", also "x_min" and "x_max".

    `names` renames the axis. Raises DomainError unless a < b, both finite.

    >>> import pinnace as pn
    >>> dom = pn.domain.interval(-1, 1).time(0, 1)
    >>> x, t = dom.variable("interior", 2_000)
    >>> x.points
    2000 points of interior of interval(-1, 1) x time(0, 1)
    """
    written = f"interval({a!r}, {b!r})"
    return Domain(Box((span_of(a, b, written, ("a", "b")),), axis_names(names, 1)))


def rectangle(x: tuple[float, float], y: tuple[float, float], *, names: Sequence[str] | None = None) -> Domain:
    """The rectangle of points with x and y between their bounds.

    `x`, `y` are pairs (low, high). Axes x, y; sides "left", "right", "bottom", "top", also "x_min", "x_max",
    "y_min", "y_max". `names` renames the axes. Raises DomainError unless low < high, all finite.

    >>> import pinnace as pn
    >>> pn.domain.rectangle((0, 2), (0, 1)).regions[2:6]
    ('left', 'right', 'bottom', 'top')
    """
    return _box("rectangle", (x, y), names)


def box(*ranges: tuple[float, float], names: Sequence[str] | None = None) -> Domain:
    """The box of points with each coordinate between its bounds, in any dimension.

    `ranges` are pairs (low, high), one an axis. Axes x; x, y; x, y, z; x1, x2, ... above three dimensions, or
    `names`. Sides are called after the axes, "x_min", "x_max", ...; in one and two dimensions they have the
    names of intervals and rectangles too. Raises DomainError unless low < high, all finite.

    >>> import pinnace as pn
    >>> cube = pn.domain.box((0, 1), (0, 1), (0, 1))
    >>> x, y, z = cube.variable("z_max", 100)
    """
    if not ranges:
        raise DomainError("box() has no ranges: give one pair an axis, for example box((0, 1), (0, 1), (0, 1)).")
    return _box("box", ranges, names)


def _box(kind: str, ranges: Sequence[Any], names: Sequence[str] | None) -> Domain:
    written = f"{kind}({', '.join(map(repr, ranges))})"
    for pair in ranges:
        if not (isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2):
            raise DomainError(
                f"{written} takes one pair (low, high) an axis; got {pair!r}. For example: {kind}((0, 1), (0, 2))."
            )
    axes = axis_names(names, len(ranges))
    spans = (
        span_of(low, high, f"({low!r}, {high!r}) for {axis} in {written}", ("low", "high"))
        for axis, (low, high) in zip(axes, ranges, strict=True)
    )
    return Domain(Box(tuple(spans), axes))
