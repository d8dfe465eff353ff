"""Unions, intersections and differences of shapes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.patch import Beside, Patch, chosen
from pinnace.domain.rounding import INSIDE, OFFSET, TOGETHER, rounding
from pinnace.domain.rvachev import conjunction, disjunction, joined, only
from pinnace.domain.shape import Shape, Source, narrowed
from pinnace.domain.shares import FEWEST, MOST, accepted
from pinnace.expr import Expr

BINDS = {"-": 3, "&": 2, "|": 1}
"""How tightly the operators bind, as in Python."""


@dataclass(frozen=True)
class Combination(Shape):
    """What is in one or the other shape (`|`), in both (`&`), or in the first but not the second (`-`)."""

    operator: str
    first: Shape
    second: Shape

    @property
    def axes(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Names of the axes of space."""
        return self.first.axes

    @property
    def binds(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """How tightly its operator binds."""
        return BINDS[self.operator]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.first.names, *self.second.names)))

    @property
    def zones(self) -> tuple[str, ...]:
        second = () if self.operator == "-" else self.second.zones
        return tuple(dict.fromkeys((*self.first.zones, *second)))

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        if self.operator == "-":
            return self.first.bounds
        outer, inner = (min, max) if self.operator == "|" else (max, min)
        pairs = zip(self.first.bounds, self.second.bounds, strict=True)
        return tuple((outer(a[0], b[0]), inner(a[1], b[1])) for a, b in pairs)

    @property
    def scale(self) -> float:
        return max(self.first.scale, self.second.scale)

    def interior(self) -> Patch:
        first, second = self.first, self.second
        if self.operator == "|":
            both = Beside([first.interior(), narrowed(second.interior(), lambda p: first.signed_distance(p) > 0)])
            return Patch(both.cover, both.place, accepts=both.accepts)
        if self.operator == "-":
            return narrowed(first.interior(), lambda p: second.signed_distance(p) > _apart(self, p))
        one, other = first.interior(), second.interior()
        if one.cover.measures.sum() <= other.cover.measures.sum():
            return narrowed(one, lambda p: second.signed_distance(p) < 0 - _apart(self, p))
        return narrowed(other, lambda p: first.signed_distance(p) < 0 - _apart(self, p))

    def boundary(self, name: str | None = None) -> Patch:
        return Left(self, self.sources(name)).patch()

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        first, second = self.first.signed_distance(points), self.second.signed_distance(points)
        xp = namespace(first, second)
        if self.operator == "|":
            return xp.minimum(first, second)
        return xp.maximum(first, second if self.operator == "&" else 0 - second)

    def on(self, points: Float[Array, "n dim"], tolerance: float, name: str | None = None) -> Bool[Array, "n"]:
        normals = Left(self, self.sources(name))
        return normals.any_has(points, tolerance) & self.separates(points, normals.normals(points))

    def sources(self, name: str | None = None) -> tuple[Source, ...]:
        return (*self.first.sources(name), *self.second.sources(name))

    def in_zone(self, name: str, points: Float[Array, "n dim"]) -> Bool[Array, "n"]:
        return self.first.in_zone(name, points) | self.second.in_zone(name, points)

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        first = self.first.depth(coordinates, flat)
        if self.operator == "|":
            check_overlap(self)
            return disjunction(first, self.second.depth(coordinates, flat), self.size, flat < 0)
        second = (
            self.second.depth(coordinates, flat) if self.operator == "&" else -self.second.depth(coordinates, -flat)
        )
        return conjunction(first, second, self.size, flat > 0)

    def surfaces(self, name: str, coordinates: Sequence[Expr]) -> list[tuple[Expr, Expr | None]]:
        first, second = (shape.surfaces(name, coordinates) for shape in (self.first, self.second))
        if self.operator == "|":
            beyond = [-shape.depth(coordinates) for shape in (self.second, self.first)]
            return [*self._limited(first, beyond[0]), *self._limited(second, beyond[1])]
        return [*first, *((f if self.operator == "&" else -f, inside) for f, inside in second)]

    def _limited(self, pieces: Sequence[tuple[Expr, Expr | None]], where: Expr) -> list[tuple[Expr, Expr | None]]:
        return [(f, where if inside is None else conjunction(inside, where, self.size)) for f, inside in pieces]

    def distance(self, name: str | None, coordinates: Sequence[Expr], normalized: bool) -> Expr:
        if name is not None and self.operator != "|":
            # inside both, or inside the first, whose own distance is simpler
            pieces = [self.first.distance(name, coordinates, normalized)] if name in self.first.names else []
            if name in self.second.names and self.operator == "&":
                pieces.append(self.second.distance(name, coordinates, normalized))
            elif name in self.second.names:
                turned = ((-f, inside) for f, inside in self.second.surfaces(name, coordinates))
                pieces += [only(f, inside, self.size) for f, inside in turned]
            return joined(pieces, self.size, normalized)
        if name is not None or normalized or self.operator == "|":
            return super().distance(name, coordinates, normalized)
        first = self.first.distance(None, coordinates, False)
        second = self.second.distance(None, coordinates, False) if self.operator == "&" else None
        return joined([first, -self.second.depth(coordinates, -1) if second is None else second], self.size)

    def measure(self, name: str) -> float:
        if name != "interior":
            return super().measure(name)
        first, second = self.first.measure(name), self.second.measure(name)
        both = common(self.first, self.second)
        return {"|": first + second - both, "&": both, "-": first - both}[self.operator]

    def __repr__(self) -> str:
        left = repr(self.first) if self.first.binds >= self.binds else f"({self.first!r})"
        right = repr(self.second) if self.second.binds > self.binds else f"({self.second!r})"
        return f"{left} {self.operator} {right}"


class Left:
    """What is left of parts of boundaries in a combination: points with exactly one side inside.

    Where parts lie on each other, the first of them has the points.
    """

    def __init__(self, whole: Shape, sources: Sequence[Source]) -> None:
        self.whole, self.sources = whole, sources
        self.patches = [source.shape.boundary(source.name) for source in sources]

    def patch(self) -> Patch:
        """The parts side by side, with points that are no boundary of the combination not accepted."""
        beside = Beside(self.patches)

        def accepts(
            piece: Int[Array, "n"], unit: Float[Array, "n cube"], points: Float[Array, "n d"]
        ) -> Bool[Array, "n"]:
            own = list(beside.own(piece))
            normals = chosen(own, [_normals(patch, points) for patch in self.patches])
            good = beside.accepts(piece, unit, points) & self.whole.separates(points, normals)
            before = np.zeros(piece.shape, bool)
            for source, mine in zip(self.sources, own, strict=True):
                good = good & (~mine | (_within(source, points, normals) & ~before))
                before = before | source.shape.on(points, _together(self.whole, points), source.name) & _within(
                    source, points, normals
                )
            return good

        return Patch(beside.cover, beside.place, self.normals, accepts)

    def normals(self, points: Float[Array, "n d"]) -> Float[Array, "n d"]:
        """Unit normals of the part that each point is on, turned outward."""
        near = [abs(source.shape.signed_distance(points)) for source in self.sources]
        xp, together = namespace(*near), _together(self.whole, points)
        near = [
            gap if source.name is None else xp.where(source.shape.on(points, together, source.name), gap, np.inf)
            for source, gap in zip(self.sources, near, strict=True)
        ]
        nearest = xp.argmin(xp.stack(near), axis=0)
        own = [nearest == k for k in range(len(self.sources))]
        normals = chosen(own, [_normals(patch, points) for patch in self.patches])
        beyond = points + OFFSET * rounding(self.whole.scale, points.dtype) * normals
        inside = self.whole.signed_distance(beyond) < 0
        return namespace(inside, normals).where(inside[:, None], 0 - normals, normals)

    def any_has(self, points: Float[Array, "n d"], tolerance: float) -> Bool[Array, "n"]:
        """Whether points are on one of the parts."""
        each: Any = [source.shape.on(points, tolerance, source.name) for source in self.sources]
        none: Any = np.zeros(points.shape[0], bool)
        return reduce(or_, each, none)


def combined(operator: str, first: Shape, second: Shape) -> Combination:
    """Two shapes as one. Raises DomainError where they do not fit, and where nothing is left."""
    found = Combination(operator, first, second)
    if not (first.dim and second.dim):
        raise DomainError(f"{first!r} {operator} {second!r}: domains of space are combined, and one of them has none.")
    if first.dim != second.dim:
        raise DomainError(
            f"{first!r} has {first.dim} dimension{'s' * (first.dim > 1)} and {second!r} has {second.dim}: domains of "
            f"the same space are combined."
        )
    if first.axes != second.axes:
        raise DomainError(
            f"{first!r} has axes {', '.join(first.axes)} and {second!r} has axes {', '.join(second.axes)}: domains of "
            f"the same space are combined. Give both the same names=."
        )
    found.sources()  # raises where one of them has no boundary to take from
    for one, other in ((first, second), (second, first)):
        twice = [name for name in one.zones if name in other.names]
        if twice:
            raise DomainError(
                f'"{twice[0]}" names a part of the interior of {one!r} and one of the boundary of {other!r}. Give one '
                f"of the tags another name."
            )
    if operator != "|" and not accepted(found, "interior").share:
        why = "they have no volume in common" if operator == "&" else "the second one covers the first"
        raise DomainError(f"nothing is left of {found!r}: {why}.")
    return found


def check_overlap(union: Combination) -> None:
    """Raise DomainError where two shapes touch along a part of their boundaries that is inside their union."""
    patch, rng = union.first.boundary(), np.random.default_rng(0)
    share = patch.cover.measures / patch.cover.measures.sum()
    piece: Any = rng.choice(len(share), 512, p=share)
    unit: Any = rng.random((512, patch.cover.dim))
    points = patch.place(piece, unit)
    touching = union.second.on(points, _together(union, points))
    if patch.accepts is not None:
        touching = touching & patch.accepts(piece, unit, points)
    if np.any(np.asarray(touching & ~union.separates(points, _normals(patch, points)))):
        raise DomainError(
            f"the two parts of {union!r} touch, and what is their boundary there is inside: the distance would be zero "
            f"on it. Let them overlap, or write the outline as one shape, for example by pn.domain.polygon."
        )


def common(first: Shape, second: Shape) -> float:
    """The volume that two shapes have in common: exact where one is inside the other, or none of it."""
    one, other = first.interior(), second.interior()
    smaller = first if one.cover.measures.sum() <= other.cover.measures.sum() else second
    both = Combination("&", first, second)
    for count in (FEWEST, MOST):
        # of what was accepted in the smaller one alone: nothing is lost where that is not exact
        share = accepted(both, "interior", count).measure / accepted(smaller, "interior", count).measure
        if share in (0, 1):
            break
    return smaller.measure("interior") * share


def _apart(shape: Shape, points: Any) -> float:
    """How far points keep away from surfaces that they are drawn without."""
    return (INSIDE + shape.dim) * rounding(shape.scale, points.dtype)


def _together(shape: Shape, points: Any) -> float:
    return TOGETHER * rounding(shape.scale, points.dtype)


def _normals(patch: Patch, points: Float[Array, "n d"]) -> Float[Array, "n d"]:
    assert patch.normals is not None
    return patch.normals(points)


def _within(source: Source, points: Float[Array, "n d"], normals: Float[Array, "n d"]) -> Bool[Array, "n"]:
    good: Any = np.ones(points.shape[0], bool)
    for limit in source.limits:
        good = good & limit(points, normals)
    return good
