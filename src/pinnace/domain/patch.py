"""A region that points can be drawn on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace.domain.arrays import namespace
from pinnace.points import Cover


@dataclass(frozen=True, eq=False)
class Patch:
    """Part of a domain, in smooth pieces, each of them a unit cube laid out evenly.

    Evenly means that equal volumes of the cube become equal measures (lengths, areas, volumes) of the piece,
    so that points which fill the cube evenly fill the region evenly. With `accepts`, the region is what is accepted
    of them, and they fill it evenly after the others were dropped.
    """

    cover: Cover

    place: Callable[[Int[Array, "n"], Float[Array, "n cube"]], Float[Array, "n d"]]
    """Points from the piece of each and its place in the unit cube."""

    normals: Callable[[Float[Array, "n d"]], Float[Array, "n space"]] | None = None
    """Outward unit normals at points of the patch; None where it is no boundary."""

    accepts: Callable[[Int[Array, "n"], Float[Array, "n cube"], Float[Array, "n d"]], Bool[Array, "n"]] | None = None
    """Which points belong to the region, from the piece of each, its place in the unit cube and the point itself;
    None where all do."""


class Beside:
    """Several patches as one: the pieces of the first, then those of the next, and so on."""

    def __init__(self, patches: Sequence[Patch]) -> None:
        self.patches = patches
        self.starts = np.cumsum([0, *(len(patch.cover.measures) for patch in patches)])
        dim = max((patch.cover.dim for patch in patches), default=0)
        measures = [np.zeros(0), *(patch.cover.measures for patch in patches)]
        # a patch whose cubes have fewer coordinates has no length along the others
        lengths = [
            np.zeros((0, dim)),
            *(np.pad(patch.cover.lengths, ((0, 0), (0, dim - patch.cover.dim))) for patch in patches),
        ]
        self.cover = Cover(np.concatenate(measures), np.concatenate(lengths))

    def own(self, piece: Int[Array, "n"]) -> Iterator[Bool[Array, "n"]]:
        """Which points are of each patch."""
        for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True):
            yield (piece >= start) & (piece < stop)

    def place(self, piece: Int[Array, "n"], unit: Float[Array, "n cube"]) -> Float[Array, "n d"]:
        """The points, each by its own patch."""
        placed = [patch.place(*local) for patch, local in self._local(piece, unit)]
        return chosen(list(self.own(piece)), placed)

    def accepts(
        self, piece: Int[Array, "n"], unit: Float[Array, "n cube"], points: Float[Array, "n d"]
    ) -> Bool[Array, "n"]:
        """Which points are accepted by their own patch."""
        good: Any = np.ones(piece.shape, bool)
        for (patch, local), own in zip(self._local(piece, unit), self.own(piece), strict=True):
            if patch.accepts is not None:
                good = good & (~own | patch.accepts(*local, points))
        return good

    def _local(
        self, piece: Int[Array, "n"], unit: Float[Array, "n cube"]
    ) -> Iterator[tuple[Patch, tuple[Int[Array, "n"], Float[Array, "n cube"]]]]:
        for patch, start, stop in zip(self.patches, self.starts[:-1], self.starts[1:], strict=True):
            yield patch, (namespace(piece).clip(piece - start, 0, stop - start - 1), unit[:, : patch.cover.dim])


def chosen(own: Sequence[Bool[Array, "n"]], each: Sequence[Float[Array, "n d"]]) -> Float[Array, "n d"]:
    """For each point the row of the one that it belongs to."""
    found = each[0]
    for mine, rows in zip(own[1:], each[1:], strict=True):
        found = namespace(mine, rows).where(mine[:, None], rows, found)
    return found
