"""Numbers of a given density from even ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from pinnace.domain.arrays import namespace

ABSCISSAE, WEIGHTS = np.polynomial.legendre.leggauss(8)
ROUNDS = 2
"""Newton steps; each doubles the digits of a linear start, of which there are four or more."""


class Quantiles:
    """The inverse of the integral of a positive density between nodes, to rounding.

    `density(t, xp)` is computed with NumPy here and with jax.numpy inside the step; it is smooth between neighbouring
    nodes. `total` is its integral over all.

    >>> import numpy as np
    >>> line = Quantiles(lambda t, xp: 2 * t, np.linspace(1, 3, 20))
    >>> round(line.total, 12), round(float(line(np.array([0.5]))[0]) ** 2, 5)
    (8.0, 5.0)
    """

    def __init__(self, density: Callable[[Any, Any], Any], nodes: Float[np.ndarray, "m"]) -> None:
        self.density, self.nodes = density, nodes
        half = np.diff(nodes) / 2
        inner = nodes[:-1, None] + half[:, None] * (1 + ABSCISSAE)
        self.below = np.concatenate([[0.0], np.cumsum(half * (density(inner, np) @ WEIGHTS))])
        self.total = float(self.below[-1])

    def __call__(self, share: Float[Array, "n"]) -> Float[Array, "n"]:
        """Where these shares of the integral, from 0 to 1, are reached."""
        xp, kind = namespace(share), share.dtype
        wanted, below, nodes = self.total * share, xp.asarray(self.below, kind), xp.asarray(self.nodes, kind)
        at = xp.searchsorted(below[1:-1], wanted, side="right")
        low, high, rest = nodes[at], nodes[at + 1], wanted - below[at]
        found = low + (high - low) * rest / (below[at + 1] - below[at])
        for _ in range(ROUNDS):
            half = (found - low) / 2
            inner = low[:, None] + half[:, None] * (1 + xp.asarray(ABSCISSAE, kind))
            reached = half * (self.density(inner, xp) @ xp.asarray(WEIGHTS, kind))
            slope = xp.maximum(self.density(found, xp), xp.finfo(kind).tiny)
            found = xp.clip(found + (rest - reached) / slope, low, high)
        return found
