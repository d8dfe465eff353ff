"""A region that points can be drawn on."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Array, Float, Int

from pinnace.points import Cover


@dataclass(frozen=True, eq=False)
class Patch:
    """Part of a domain, in smooth pieces, each of them a unit cube laid out evenly.

    Evenly means that equal volumes of the cube become equal measures (lengths, areas, volumes) of the piece,
    so that points which fill the cube evenly fill the region evenly.
    """

    cover: Cover

    place: Callable[[Int[Array, "n"], Float[Array, "n cube"]], Float[Array, "n d"]]
    """Points from the piece of each and its place in the unit cube."""

    normals: Callable[[Float[Array, "n d"]], Float[Array, "n space"]] | None = None
    """Outward unit normals at points of the patch; None where it is no boundary."""
