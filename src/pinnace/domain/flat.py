"""Segments, triangles and tetrahedra, k + 1 corners each: their sizes, and the unit cube laid out on them."""

import math

import numpy as np
from jaxtyping import Array, Float

from pinnace.domain.arrays import namespace


def sizes(corners: Float[np.ndarray, "m k+1 dim"]) -> Float[np.ndarray, "m"]:
    """Their lengths, areas or volumes.

    >>> import numpy as np
    >>> print(sizes(np.array([[[0.0, 0, 0], [1, 0, 0], [0, 2, 0]]])))
    [1.]
    """
    edges = corners[:, 1:] - corners[:, :1]
    # singular values, since the determinant of products loses half of the digits of thin ones
    return np.linalg.svd(edges, compute_uv=False).prod(axis=1) / math.factorial(edges.shape[1])


def extents(corners: Float[np.ndarray, "m k+1 dim"]) -> Float[np.ndarray, "m k"]:
    """How long the images of the axes of the unit cube are, about: what a grid makes its cells of.

    Axis k goes from corner k to the simplex of the later ones, which has shrunk to a part of itself on the way.
    """
    count = corners.shape[1] - 1
    rest = [corners[:, k + 1 :].mean(axis=1) for k in range(count)]
    heights = np.stack([np.linalg.norm(rest[k] - corners[:, k], axis=1) for k in range(count)], axis=1)
    # the mean of the product of the earlier shares, each the root of an even number
    shares = np.cumprod([1.0, *((count - k) / (count - k + 1) for k in range(count - 1))])
    return heights * shares


def weights(unit: Float[Array, "n k"]) -> Float[Array, "n k+1"]:
    """Points of the unit cube as shares of the corners, evenly: equal volumes become equal measures.

    What is left after the first corner is a smaller copy of the opposite side, and its size the k-th root of an even
    number (Devroye 1986, Non-Uniform Random Variate Generation, chapter V.4).

    >>> import numpy as np
    >>> print(weights(np.array([[0.25, 0.5]])))
    [[0.5  0.25 0.25]]
    """
    xp, count = namespace(unit), unit.shape[1]
    left, shares = xp.ones(unit.shape[0], unit.dtype), []
    for k in range(count):
        size = unit[:, k] if k == count - 1 else unit[:, k] ** (1 / (count - k))
        shares.append(left * (1 - size))
        left = left * size
    return xp.stack([*shares, left], axis=1)


def spread(corners: Float[Array, "n k+1 dim"], unit: Float[Array, "n k"]) -> Float[Array, "n dim"]:
    """Points of the unit cube, each on its own simplex."""
    return (weights(unit)[:, :, None] * corners).sum(axis=1)


def facets_of(cells: np.ndarray) -> np.ndarray:
    """The sides of cells, `[m, k + 1]` corners or their numbers, as `[m, k + 1, k]`: side k lacks corner k.

    Sides of cells that are wound the positive way have their outside where their normals point.

    >>> import numpy as np
    >>> print(facets_of(np.array([[0, 1, 2]])))
    [[[1 2]
      [2 0]
      [0 1]]]
    """
    count = cells.shape[1]
    sides = [np.delete(np.arange(count), k) for k in range(count)]
    # leaving corner k out is an odd number of exchanges for every other k
    turned = [np.array([*side[-2::-1], side[-1]] if k % 2 and count > 3 else side) for k, side in enumerate(sides)]
    if count == 3:
        turned[1] = turned[1][::-1]
    return np.stack([cells[:, side] for side in turned], axis=1)


def normals_of(facets: Float[np.ndarray, "m dim dim"]) -> Float[np.ndarray, "m dim"]:
    """Unit normals: to the right of segments in the plane, by the right hand on triangles in space."""
    edges = facets[:, 1:] - facets[:, :1]
    first, last = edges[:, 0], edges[:, -1]
    across = np.stack([first[:, 1], -first[:, 0]], axis=1) if edges.shape[1] == 1 else np.cross(first, last)
    return across / np.linalg.norm(across, axis=1, keepdims=True)


def shrunk(cells: Float[np.ndarray, "m k+1 k"], margin: float) -> Float[np.ndarray, "m k+1 k"]:
    """The cells moved inwards, so that their sides are that far from where they were; thin ones to a point."""
    areas = sizes(facets_of(cells).reshape(-1, *np.array(cells.shape[1:]) - (1, 0))).reshape(len(cells), -1)
    total = areas.sum(axis=1)
    centres = np.sum(areas[:, :, None] * cells, axis=1) / total[:, None]
    radii = cells.shape[2] * sizes(cells) / total
    pulled = np.minimum(margin / np.maximum(radii, np.finfo(float).tiny), 1.0)
    return cells + pulled[:, None, None] * (centres[:, None] - cells)
