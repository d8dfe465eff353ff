"""Distances to flat facets, `[m, corners, dim]` (segments or triangles), and how often they go around a point. Pure.

Every facet is compared with every point, in parts of bounded memory, one array `[m, n]` for each component: arrays of
short vectors are many times as slow.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace.domain.arrays import namespace

PAIRS = 2**22
"""Pairs of points and facets that are looked at together inside the step, where nothing of them is kept."""
ON_HOST = 2**17
"""The same on the host, where arrays of all of them are made."""
COMPILED = 2**23
"""Pairs from which on it pays to compile on the host too."""

Corners = Float[Array | np.ndarray, "m corners dim"]
Pairs = Float[Array, "m n"]
Vector = Sequence[Float[Array, "m n"]]


def distance(points: Float[Array, "n dim"], facets: Corners) -> Float[Array, "n"]:
    """Distance to the nearest facet."""
    return _in_parts(_nearest_distance, points, facets)


def nearest(points: Float[Array, "n dim"], facets: Corners) -> Int[Array, "n"]:
    """The number of the nearest facet."""
    return _in_parts(_nearest_number, points, facets)


def winding(points: Float[Array, "n dim"], facets: Corners) -> Float[Array, "n"]:
    """How often closed facets go around each point: 1 inside and 0 outside of what they bound (Jacobson, Kavan and
    Sorkine-Hornung 2013, doi:10.1145/2461912.2461916).

    >>> import numpy as np
    >>> corners = np.array([[0.0, 0], [1, 0], [0, 1]])
    >>> sides = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    >>> print(winding(np.array([[0.2, 0.2], [0.8, 0.8]]), sides))
    [1. 0.]
    """
    return _in_parts(_around, points, facets)


def signed_distance(points: Float[Array, "n dim"], facets: Corners) -> Float[Array, "n"]:
    """Distance to the nearest facet, negative where the facets go around."""
    return _in_parts(_signed_distance, points, facets)


def _in_parts(of_each: Callable[..., Any], points: Float[Array, "n dim"], facets: Corners) -> Any:
    """What a function gives for each point, for so many of them at a time that memory stays bounded."""
    if namespace(points) is np and len(points) * len(facets) <= COMPILED:
        corners = np.asarray(facets, points.dtype)
        parts = max(1, -(-len(points) * len(facets) // ON_HOST))
        return np.concatenate([of_each(part, corners) for part in np.array_split(points, parts)])
    if namespace(points) is np:
        with jax.ensure_compile_time_eval(), jax.enable_x64(points.dtype == np.float64):
            return np.asarray(_compiled(of_each, jax.numpy.asarray(points), jax.numpy.asarray(facets, points.dtype)))
    return _compiled(of_each, points, jax.numpy.asarray(facets, points.dtype))


@partial(jax.jit, static_argnums=0)
def _compiled(of_each: Callable[..., Any], points: Float[Array, "n dim"], facets: Float[Array, "m dim dim"]) -> Any:
    count = len(points)
    together = max(1, PAIRS // max(1, len(facets)))
    if count <= together:
        return of_each(points, facets)
    parts = -(-count // together)
    filled = jax.numpy.pad(points, ((0, parts * together - count), (0, 0)), mode="edge")
    found = jax.lax.map(lambda part: of_each(part, facets), filled.reshape(parts, together, -1))
    return found.reshape(-1)[:count]


def _nearest_distance(points: Float[Array, "n dim"], facets: Float[Array, "m dim dim"]) -> Float[Array, "n"]:
    return _root(_squares(points, facets).min(axis=0))


def _nearest_number(points: Float[Array, "n dim"], facets: Float[Array, "m dim dim"]) -> Int[Array, "n"]:
    return _squares(points, facets).argmin(axis=0)


def _signed_distance(points: Float[Array, "n dim"], facets: Float[Array, "m dim dim"]) -> Float[Array, "n"]:
    far, around = _nearest_distance(points, facets), _around(points, facets)
    return namespace(points).where(abs(around) > 0.5, 0 - far, far)


def _squares(points: Float[Array, "n dim"], facets: Float[Array, "m dim dim"]) -> Pairs:
    corners = [_columns(facets[:, k]) for k in range(facets.shape[1])]
    return {1: _to_points, 2: _to_segments, 3: _to_triangles}[len(corners)](points.T, *corners)


def _around(points: Float[Array, "n dim"], facets: Float[Array, "m dim dim"]) -> Float[Array, "n"]:
    corners = [_columns(facets[:, k]) for k in range(facets.shape[1])]
    return (_crossings if len(corners) == 2 else _solid_angles)(points.T, *corners)


def _to_points(points: Float[Array, "dim n"], where: Vector) -> Pairs:
    away = _less(points, where)
    return _dot(away, away)


def _to_segments(points: Float[Array, "dim n"], start: Vector, stop: Vector) -> Pairs:
    along = _less(stop, start)
    length = _dot(along, along)
    away = _less(points, start)
    xp = namespace(points)
    share = xp.clip(_dot(away, along) / xp.where(length > 0, length, 1), 0, 1)
    rest = [far - share * step for far, step in zip(away, along, strict=True)]
    return _dot(rest, rest)


def _to_triangles(points: Float[Array, "dim n"], a: Vector, b: Vector, c: Vector) -> Pairs:
    """To the plane over the triangle, elsewhere to its sides (Ericson 2005, Real-Time Collision Detection, 5.1.5)."""
    xp = namespace(points)
    across = _cross(_less(b, a), _less(c, a))
    size = _dot(across, across)
    height = _dot(_less(points, a), across)
    over: Bool[Array, "m n"] = size > 0
    beside = xp.full_like(height, np.inf)
    for start, stop in ((a, b), (b, c), (c, a)):
        over = over & (_dot(_less(points, start), _cross(across, _less(stop, start))) >= 0)
        beside = xp.minimum(beside, _to_segments(points, start, stop))
    return xp.where(over, height**2 / xp.where(size > 0, size, 1), beside)


def _crossings(points: Float[Array, "dim n"], start: Vector, stop: Vector) -> Float[Array, "n"]:
    """The segments that a ray to the right meets, up less down."""
    along, away = _less(stop, start), _less(points, start)
    left = along[0] * away[1] - along[1] * away[0]
    before, after = points[1] < start[1], points[1] < stop[1]
    up, down = ~before & after & (left > 0), before & ~after & (left < 0)
    return (up.astype(points.dtype) - down.astype(points.dtype)).sum(axis=0)


def _solid_angles(points: Float[Array, "dim n"], *corners: Vector) -> Float[Array, "n"]:
    """Solid angles of triangles (van Oosterom and Strackee 1983, doi:10.1109/TBME.1983.325207) over that of all."""
    xp = namespace(points)
    a, b, c = (_less(corner, points) for corner in corners)
    far_a, far_b, far_c = (xp.sqrt(_dot(side, side)) for side in (a, b, c))
    volume = _dot(a, _cross(b, c))
    spread = far_a * far_b * far_c + _dot(a, b) * far_c + _dot(b, c) * far_a + _dot(c, a) * far_b
    return xp.arctan2(volume, spread).sum(axis=0) / (2 * np.pi)


def _columns(vectors: Float[Array, "m dim"]) -> Vector:
    return [vectors[:, axis, None] for axis in range(vectors.shape[1])]


def _less(first: Vector | Array, second: Vector | Array) -> Vector:
    return [one - other for one, other in zip(first, second, strict=True)]


def _dot(first: Vector, second: Vector) -> Pairs:
    total = first[0] * second[0]
    for one, other in zip(first[1:], second[1:], strict=True):
        total = total + one * other
    return total


def _cross(first: Vector, second: Vector) -> Vector:
    (a, b, c), (x, y, z) = first, second
    return [b * z - c * y, c * x - a * z, a * y - b * x]


def _root(squares: Float[Array, "n"]) -> Float[Array, "n"]:
    """Square roots with a slope of zero at zero."""
    xp = namespace(squares)
    return xp.where(squares > 0, xp.sqrt(xp.where(squares > 0, squares, 1)), 0)
