"""The contract of shapes: what a new one has to say about itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from jaxtyping import Array, Bool, Float

from pinnace.domain.patch import Patch


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

    def contains(self, points: Float[Array, "n dim"]) -> Bool[Array, "n"]:
        """Whether points are inside or on the boundary."""
        return self.signed_distance(points) <= 0
