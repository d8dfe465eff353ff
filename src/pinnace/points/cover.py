"""What the unit cubes of a sampler are laid on: the pieces of a region, as numbers."""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int


@dataclass(frozen=True, eq=False)
class Cover:
    """The pieces of a region, each of them the image of one unit cube.

    `lengths` are the extents of each piece along the axes of its cube, 0 along an axis that it does not use;
    `measures` how large each piece is: its length, area or volume, 1 for a single point.
    """

    measures: Float[np.ndarray, "pieces"]
    lengths: Float[np.ndarray, "pieces cube"]

    @property
    def dim(self) -> int:
        """Coordinates of the unit cube; 0 where the pieces are single points."""
        return self.lengths.shape[1]

    @property
    def shares(self) -> Float[np.ndarray, "pieces"]:
        """The part of the whole that each piece is; they sum to 1."""
        relative = self.measures / self.measures.max()
        return relative / relative.sum()

    @cached_property
    def edges(self) -> Float[np.ndarray, "pieces+1"]:
        """The pieces laid side by side on [0, 1], each as long as its share."""
        ends = np.cumsum(self.shares)
        return np.concatenate([[0.0], ends[:-1], [1.0]])

    def split(self, unit: Float[Array, "n cube"]) -> tuple[Int[Array, "n"], Float[Array, "n cube"]]:
        """Points of one cube as points of all the pieces: which piece, and where in its own cube.

        The first coordinate chooses the piece by the shares; what remains of it is the first coordinate
        there. So a net in the cube stays a net on the whole region, and no coordinate is spent on the choice.
        """
        xp = jnp if isinstance(unit, jax.Array) else np
        if len(self.measures) == 1:
            return xp.zeros(unit.shape[0], int), unit
        edges = xp.asarray(self.edges, unit.dtype)
        piece = xp.searchsorted(edges[1:-1], unit[:, 0], side="right")
        rest = (unit[:, 0] - edges[piece]) / (edges[piece + 1] - edges[piece])
        return piece, xp.concatenate([rest[:, None], unit[:, 1:]], axis=1)
