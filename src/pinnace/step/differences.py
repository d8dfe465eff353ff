"""First derivatives from values alone: central differences, extrapolated to a step of zero, with an error estimate."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

LEVELS = 12
"""Step sizes, each half of the one before."""


def steps_of(extent: float) -> Float[np.ndarray, "levels"]:
    """The step sizes for points that reach so far along an axis."""
    return 0.1 * extent * 0.5 ** np.arange(LEVELS)


def slope(
    above: Float[np.ndarray, "levels ..."], below: Float[np.ndarray, "levels ..."], steps: Sequence[float] | np.ndarray
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """The derivative from values at x + h and x - h for each step h, and how far off it may be.

    Neville's table of the differences in h^2; of all its entries the one that agrees best with its neighbours. Steps
    whose values are not finite are left out. The error is never below what rounding of the values makes.

    Source: Ridders, Advances in Engineering Software 4 (1982) 75.

    >>> import numpy as np
    >>> h = steps_of(1.0)
    >>> value, error = slope(np.exp(1 + h), np.exp(1 - h), h)
    >>> bool(abs(value - np.e) < 1e-10), bool(error < 1e-9)
    (True, True)
    """
    wide = np.asarray(steps).reshape(-1, *(1,) * (above.ndim - 1))
    with np.errstate(all="ignore"):
        rows = (above - below) / (2 * wide)
        size = np.maximum(np.abs(above), np.abs(below))
        rounding = np.finfo(above.dtype).eps * size / wide
        best, error = np.full(rows.shape[1:], np.nan), np.full(rows.shape[1:], np.inf)
        previous: list[np.ndarray] = []
        for level in range(len(rows)):
            row = [rows[level]]
            for k in range(len(previous)):
                factor = 4.0 ** (k + 1)
                row.append((factor * row[k] - previous[k]) / (factor - 1))
                off = np.maximum(np.abs(row[k + 1] - row[k]), np.abs(row[k + 1] - previous[k])) + rounding[level]
                better = off < error  # false for nan
                best, error = np.where(better, row[k + 1], best), np.where(better, off, error)
            previous = row
    return best, error
