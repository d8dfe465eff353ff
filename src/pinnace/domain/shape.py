"""The contract of shapes: what a new one has to say about itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from jaxtyping import Array, Bool, Float

from pinnace._errors import DomainError
from pinnace.domain.patch import Patch
from pinnace.domain.rvachev import forward, trimmed
from pinnace.expr import Expr


class Shape(ABC):
    """A bounded, closed part of space. Regions, time, samplers and names of point sets are the domain's
    business.

    Shapes are immutable and compare by value.
    """

    axes: tuple[str, ...]
    """Names of the axes of space."""

    @property
    def dim(self) -> int:
        """Number of axes of space."""
        return len(self.axes)

    @property
    def sides(self) -> Mapping[str, Sequence[int]]:
        """The shape's own names for parts of its boundary, as numbers of pieces of it."""
        return {}

    @property
    @abstractmethod
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """The smallest box around it, one pair an axis."""

    @abstractmethod
    def interior(self) -> Patch:
        """All of it, by volume. Points are never outside, in whatever precision."""

    @abstractmethod
    def boundary(self, pieces: Sequence[int] | None = None) -> Patch:
        """Its boundary, by area, with outward unit normals; or only some pieces of it."""

    @abstractmethod
    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        """Distance to the boundary, negative inside."""

    @property
    def size(self) -> float:
        """The shortest side of the box around it."""
        return min(high - low for low, high in self.bounds)

    def depth(self, coordinates: Sequence[Expr]) -> Expr:
        """An expression that is positive inside, zero on the boundary and negative outside, with slope 1 across it:
        what stands for minus the signed distance in combinations. See `rvachev`.

        Raises DomainError where there is none.
        """
        raise DomainError(
            f"{self!r} has no distance as an expression. Write a factor that vanishes where the condition is, or use a "
            f'loss: (net(xb, yb) - g).mse at the points of dom.variable("boundary").'
        )

    def surface(self, name: str, coordinates: Sequence[Expr]) -> tuple[Expr, Expr | None]:
        """An expression that is zero on a part of the boundary, with slope 1, and positive inside next to it; and one
        that tells this part from where else the first is zero, by being positive there. None where that is nowhere.

        Raises DomainError where there is none.
        """
        raise DomainError(
            f'the part "{name}" of {self!r} has no distance as an expression. Write a factor that vanishes there, or '
            f"use a loss."
        )

    def distance(self, name: str | None, coordinates: Sequence[Expr], normalized: bool) -> Expr:
        """An expression that is zero on the part of the boundary of that name, or on all of it, and positive elsewhere
        inside; `normalized`, with slope 1 wherever it has one there.
        """
        if name is None:
            return self.depth(coordinates)
        f, inside = self.surface(name, coordinates)
        return forward(f, self.size) if inside is None else trimmed(f, inside, self.size)

    def contains(self, points: Float[Array, "n dim"]) -> Bool[Array, "n"]:
        """Whether points are inside or on the boundary."""
        return self.signed_distance(points) <= 0
