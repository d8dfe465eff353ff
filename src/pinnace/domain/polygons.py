"""Polygons, and whatever of area shapely makes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from pinnace._errors import DomainError
from pinnace.domain.checks import axis_names
from pinnace.domain.domain import Domain
from pinnace.domain.faceted import Faceted
from pinnace.domain.flat import sizes

FEW = 64
"""Edges that have a name of their own, at most."""
AREAS = ("Polygon", "MultiPolygon", "GeometryCollection")


def polygon(
    vertices: Sequence[tuple[float, float]],
    holes: Sequence[Sequence[tuple[float, float]]] = (),
    *,
    names: Sequence[str] | None = None,
) -> Domain:
    """The polygon with these corners, less its holes.

    `vertices` and each of `holes` are arrays `[k, 2]`, in either direction, the last corner joined to the first. Axes
    x, y, or `names`. Parts of the boundary: "exterior", "hole_0", "hole_1", ..., and up to 64 edges by number,
    "edge_0" from the first corner to the second, those of the holes after those of the outside. Raises DomainError
    for less than three corners, edges that cross, and holes that are not inside.

    >>> import pinnace as pn
    >>> room = pn.domain.polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
    >>> x, y = room.variable("edge_3", 50)
    >>> room.regions[:4]
    ('interior', 'boundary', 'exterior', 'edge_0')
    """
    import shapely

    outer = _ring(vertices, "the vertices of polygon(...)")
    inner = [_ring(hole, f"hole {number} of polygon(...)") for number, hole in enumerate(holes)]
    return Domain(_faceted([shapely.Polygon(outer, inner)], "polygon", names))


def shapely(geometry: Any, *, names: Sequence[str] | None = None) -> Domain:
    """A geometry of shapely that has an area: a Polygon with or without holes, a MultiPolygon, what `.buffer(r)` or
    `.intersection(other)` give.

    Axes x, y, or `names`; a third coordinate is left out. Parts of the boundary are those of `pn.domain.polygon`, the
    polygons of a MultiPolygon one after the other. Raises DomainError for geometries without area and those that
    shapely finds invalid.

    >>> import pinnace as pn, shapely
    >>> road = pn.domain.shapely(shapely.LineString([(0, 0), (2, 0), (3, 1)]).buffer(0.2))
    >>> x, y = road.variable("interior", 500)
    """
    import shapely as library

    if not isinstance(geometry, library.Geometry):
        raise DomainError(
            f"shapely(...) takes a geometry of shapely, for example shapely.box(0, 0, 1, 1); got {geometry!r}."
        )
    kind = type(geometry).__name__
    if kind not in AREAS:
        raise DomainError(
            f"a {kind} has no area. Give it one, for example geometry.buffer(0.1), which is a strip around it."
        )
    whole: list[Any] = list(library.get_parts(library.force_2d(geometry)))
    without = [one.geom_type for one in whole if one.geom_type not in AREAS[:2]]
    if without:
        raise DomainError(
            f"this {kind} has a {without[0]} in it, which has no area. Take only what has one: "
            f"shapely.union_all([part for part in geometry.geoms if part.area > 0])."
        )
    if kind == "GeometryCollection":
        return shapely(library.union_all(whole), names=names)
    return Domain(_faceted(whole, "shapely", names))


def _ring(vertices: Any, what: str) -> Float[np.ndarray, "k 2"]:
    """Corners as an array, without one that repeats the first at the end."""
    try:
        found = np.asarray(vertices, float)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.ndim != 2 or found.shape[-1] != 2:
        raise DomainError(
            f"{what} are pairs of numbers, one a corner, for example [(0, 0), (1, 0), (0, 1)]; got {vertices!r}."
        )
    if not np.all(np.isfinite(found)):
        row = int(np.argmin(np.isfinite(found).all(axis=1)))
        raise DomainError(f"{what}: number {row} is {tuple(found[row].tolist())}; corners are finite numbers.")
    found = found[:-1] if len(found) > 1 and np.array_equal(found[0], found[-1]) else found
    if len(np.unique(found, axis=0)) < 3:
        raise DomainError(f"{what} are {len(np.unique(found, axis=0))} different corners; an area needs three or more.")
    return found


def _faceted(polygons: Sequence[Any], kind: str, names: Sequence[str] | None) -> Faceted:
    """Polygons of shapely as a shape: triangles inside, edges around, and the names of these."""
    import shapely

    whole = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(list(polygons))
    if not polygons or whole.is_empty:
        raise DomainError(f"{kind}(...) is empty: the geometry has no points. What made it?")
    if not whole.is_valid:
        raise DomainError(
            f"{kind}(...) is no valid area: {shapely.is_valid_reason(whole)}. Correct the corners there; "
            f"shapely.make_valid(geometry) shows what it may be."
        )
    outer = [(one.exterior, True) for one in polygons]
    inner = [(ring, False) for one in polygons for ring in one.interiors]
    edges = [_edges(np.asarray(ring.coords, float)[:, :2], filled) for ring, filled in outer + inner]
    facets = np.concatenate(edges)
    starts = np.cumsum([0, *map(len, edges)])
    rings = [np.arange(start, stop) for start, stop in pairwise(starts)]
    parts = {"exterior": np.concatenate(rings[: len(outer)])}
    parts |= {f"hole_{number}": ring for number, ring in enumerate(rings[len(outer) :])}
    if len(facets) <= FEW:
        parts |= {f"edge_{number}": np.array([number]) for number in range(len(facets))}
    written = f"{len(facets)} vertices" + (f", {len(inner)} hole{'s' * (len(inner) > 1)}" if inner else "")
    several = f"{len(polygons)} polygons, " if len(polygons) > 1 else ""
    return Faceted(facets, _triangles(whole), parts, axis_names(names, 2), f"{kind}({several}{written})")


def _edges(ring: Float[np.ndarray, "k+1 2"], filled: bool) -> Float[np.ndarray, "k 2 2"]:
    """The edges in their order, each with the outside to its right, without those of no length."""
    edges = np.stack([ring[:-1], ring[1:]], axis=1)
    edges = edges[np.any(edges[:, 0] != edges[:, 1], axis=1)]
    start, stop = (edges - ring[0]).swapaxes(0, 1)
    left = np.sum(start[:, 0] * stop[:, 1] - start[:, 1] * stop[:, 0]) > 0
    return edges if left == filled else edges[:, ::-1]


def _triangles(whole: Any) -> Float[np.ndarray, "m 3 2"]:
    """A triangulation that has all edges among its own."""
    import shapely

    found = shapely.get_parts(shapely.constrained_delaunay_triangles(whole))
    corners = np.stack([np.asarray(one.exterior.coords, float)[:3, :2] for one in found])
    return corners[sizes(corners) > 0]
