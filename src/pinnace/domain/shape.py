"""The contract of shapes: what a new one has to say about itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Array, Bool, Float

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import OFFSET, rounding
from pinnace.domain.rvachev import joined, only
from pinnace.domain.shares import accepted, good
from pinnace.expr import Expr
from pinnace.points import Cover

LEAF = 4
"""How tightly a call binds; the operators - & | bind less."""


@dataclass(frozen=True)
class Source:
    """Part of the boundary of one shape, from which a combination takes what is left of it."""

    shape: "Shape"
    name: str | None = None
    """Which part; None for all of it."""
    limits: tuple[Callable[[Float[Array, "n dim"], Float[Array, "n dim"]], Bool[Array, "n"]], ...] = ()
    """What else its points, with their normals, have to fulfil."""


class Shape(ABC):
    """A bounded, closed part of space. Regions, time, samplers and names of point sets are the domain's
    business.

    Shapes are immutable and compare by value.
    """

    axes: tuple[str, ...]
    """Names of the axes of space."""

    binds: int = LEAF
    """How tightly its written form binds, for parentheses."""

    @property
    def dim(self) -> int:
        """Number of axes of space."""
        return len(self.axes)

    @property
    def names(self) -> tuple[str, ...]:
        """The shape's own names for parts of its boundary."""
        return ()

    @property
    def zones(self) -> tuple[str, ...]:
        """The shape's own names for parts of its interior."""
        return ()

    @property
    @abstractmethod
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """A box around it, one pair an axis; the smallest one where the shape is no combination."""

    @property
    def scale(self) -> float:
        """How far from the origin its points are at most, about: rounding errors are in proportion to it."""
        return float(np.linalg.norm([max(abs(low), abs(high)) for low, high in self.bounds]))

    @abstractmethod
    def interior(self) -> Patch:
        """All of it, by volume. Points are never outside, in whatever precision."""

    @abstractmethod
    def boundary(self, name: str | None = None) -> Patch:
        """Its boundary, by area, with outward unit normals; or only the part of that name."""

    @abstractmethod
    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        """Distance to the boundary, negative inside; of a combination a bound of it, with the right sign."""

    def outward(self, points: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
        """Outward unit normals at points on the boundary, or next to it."""
        normals = self.boundary().normals
        assert normals is not None
        return normals(points)

    @property
    def size(self) -> float:
        """The shortest side of the box around it."""
        return min(high - low for low, high in self.bounds)

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        """An expression that is positive inside, zero on the boundary and negative outside, with slope 1 across it: what
        stands for minus the signed distance in combinations. See `rvachev`.

        Where `flat` is 1, the slope goes to zero at convex corners, where it is -1 at others; as smooth as can be then.
        Raises DomainError where there is none.
        """
        raise DomainError(
            f"{self!r} has no distance as an expression. Write a factor that vanishes where the condition is, or use a "
            f'loss, for example (net(xb, yb) - g).mse at the points of dom.variable("boundary").'
        )

    def surfaces(self, name: str, coordinates: Sequence[Expr]) -> list[tuple[Expr, Expr | None]]:
        """The pieces of a part of the boundary, each as an expression that is zero on it, with slope 1, and positive
        inside next to it; and one that tells the piece from where else the first is zero, by being positive there: None
        where that is nowhere. None at all, where the shape has no such part.

        Raises DomainError where there are no such expressions.
        """
        return []

    def distance(self, name: str | None, coordinates: Sequence[Expr], normalized: bool) -> Expr:
        """An expression that is zero on the part of the boundary of that name, or on all of it, and positive elsewhere
        inside; `normalized`, with slope 1 wherever it has one there.
        """
        if name is None:
            return self.depth(coordinates, 0 if normalized else 1)
        pieces = [only(f, inside, self.size) for f, inside in self.surfaces(name, coordinates)]
        return joined(pieces, self.size, normalized)

    def contains(self, points: Float[Array, "n dim"]) -> Bool[Array, "n"]:
        """Whether points are inside or on the boundary."""
        return self.signed_distance(points) <= 0

    def on(self, points: Float[Array, "n dim"], tolerance: float, name: str | None = None) -> Bool[Array, "n"]:
        """Whether points are on the boundary, to a tolerance; or on the part of that name, if the shape can tell."""
        return abs(self.signed_distance(points)) <= tolerance

    def separates(self, points: Float[Array, "n dim"], normals: Float[Array, "n dim"]) -> Bool[Array, "n"]:
        """Whether exactly one of the two sides of a surface through the points, with these normals, is inside."""
        step = OFFSET * rounding(self.scale, points.dtype) * normals
        return (self.signed_distance(points + step) < 0) != (self.signed_distance(points - step) < 0)

    def sources(self, name: str | None = None) -> tuple[Source, ...]:
        """What a combination takes its boundary from, or the part of it with that name; nothing, where it has none."""
        return (Source(self, name),) if name is None or name in self.names else ()

    def in_zone(self, name: str, points: Float[Array, "n dim"]) -> Bool[Array, "n"]:
        """Whether points of the shape are in the part of its interior with that name."""
        return namespace(points).zeros(points.shape[0], bool)

    def region(self, name: str) -> Patch:
        """The region of that name: "interior", "boundary", or one of its own names."""
        if name in self.zones:
            whole = self.interior()
            return narrowed(whole, lambda points: self.in_zone(name, points))
        if name == "interior":
            return self.interior()
        found = self.boundary(None if name == "boundary" else name)
        return found if found.cover.dim or found.accepts is None else _settled(found)

    def measure(self, name: str) -> float:
        """The length, area or volume of a region; single points count. Estimated on the host where points of the
        region are accepted or not, from 2^16 candidates or more.
        """
        patch = self.region(name)
        return float(patch.cover.measures.sum()) if patch.accepts is None else accepted(self, name).measure


def narrowed(patch: Patch, fulfils: Callable[[Float[Array, "n dim"]], Bool[Array, "n"]]) -> Patch:
    """The part of a patch whose points fulfil something."""
    before = patch.accepts
    if before is None:
        return replace(patch, accepts=lambda piece, unit, points: fulfils(points))
    return replace(patch, accepts=lambda piece, unit, points: before(piece, unit, points) & fulfils(points))


def _settled(patch: Patch) -> Patch:
    """A patch of single points without those that it does not accept."""
    assert patch.accepts is not None
    count = len(patch.cover.measures)
    kept = np.flatnonzero(good(patch, np.arange(count), np.zeros((count, 0)))) if count else np.zeros(0, int)
    cover = Cover(patch.cover.measures[kept], patch.cover.lengths[kept])
    return replace(
        patch,
        cover=cover,
        accepts=None,
        place=lambda piece, unit: patch.place(namespace(piece).asarray(kept)[piece], unit),
    )
