"""Meshes that other programs made: surfaces of solids, and tetrahedra or triangles that fill them."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pinnace._errors import DomainError
from pinnace.domain.checks import axis_names
from pinnace.domain.conforming import Places, boundary_of, check_closed, merged, wound
from pinnace.domain.domain import Domain
from pinnace.domain.faceted import Faceted
from pinnace.domain.reading import Tables, read


def mesh(source: str | os.PathLike[str] | Any, *, names: Sequence[str] | None = None) -> Domain:
    """The inside of a mesh: of a file, a `trimesh.Trimesh`, or a `meshio.Mesh`.

    `source` is a path to a surface (STL, OBJ, PLY, OFF, read by trimesh) or to anything that meshio reads (.msh, .vtk,
    .vtu, .xdmf, ...). Triangles in space bound a solid and have to be watertight. Tetrahedra in space, and triangles in
    the plane, fill it; sides that belong to one cell are its boundary. Corners are used as they are, curved cells count
    as straight ones. Axes x, y, z, or `names`. Named groups of boundary facets (Gmsh's physical groups, meshio's
    `cell_sets`) are parts of the boundary.

    Needs `pip install "pinnace[meshes]"`. Raises DomainError for surfaces that are open or not wound consistently, and
    for cells that are neither.

    >>> import pinnace as pn, trimesh
    >>> ring = pn.domain.mesh(trimesh.creation.torus(major_radius=1.0, minor_radius=0.4))
    >>> x, y, z = ring.variable("boundary", 200)
    >>> nx, ny, nz = pn.normal(x, y, z)
    """
    tables = read(source)
    if tables.dim == 3 and tables.tetrahedra is None:
        return Domain(_solid(tables, names))
    return Domain(_filled(tables, names))


def _solid(tables: Tables, names: Sequence[str] | None) -> Faceted:
    """What a closed surface bounds."""
    if tables.triangles is None:
        raise DomainError(_no_cells(tables))
    points, triangles = merged(tables.points, tables.triangles)
    if not len(triangles):
        raise DomainError(_no_cells(tables))
    check_closed(triangles, tables.written)
    facets = points[triangles]
    groups = _groups(tables, points, triangles)
    written = f"{tables.written} of {len(triangles)} triangles"
    found = Faceted(facets, None, groups, axis_names(names, 3), written)
    if found.volume < 0:  # wound consistently, and inside out
        found = Faceted(facets[:, ::-1], None, groups, found.axes, written)
    _check_thick(found)
    return found


def _filled(tables: Tables, names: Sequence[str] | None) -> Faceted:
    """What cells fill."""
    cells = tables.triangles if tables.dim == 2 else tables.tetrahedra
    kind = "triangles" if tables.dim == 2 else "tetrahedra"
    if cells is None:
        raise DomainError(_no_cells(tables))
    points, cells = merged(tables.points, cells)
    cells = wound(points, cells)
    if not len(cells):
        raise DomainError(_no_cells(tables))
    sides = boundary_of(cells, tables.written)
    groups = _groups(tables, points, sides)
    written = f"{tables.written} of {len(cells)} {kind}"
    return Faceted(points[sides], points[cells], groups, axis_names(names, tables.dim), written)


def _groups(tables: Tables, points: np.ndarray, sides: np.ndarray) -> Mapping[str, np.ndarray]:
    """Named parts of the boundary: the numbers of their facets."""
    places, found = Places(sides), {}
    number = {tuple(point): k for k, point in enumerate(points.tolist())}
    for name, corners in tables.groups.items():
        own = np.array([[number[tuple(corner)] for corner in facet] for facet in tables.points[corners].tolist()], int)
        chosen = places.of(own) if len(own) else np.zeros(0, int)
        if len(chosen):
            found[name] = chosen
    return found


def _check_thick(shape: Faceted) -> None:
    low, high = np.array(shape.bounds).T
    if shape.volume <= 1e-12 * np.prod(np.maximum(high - low, 1e-300)):
        raise DomainError(f"{shape!r} has no volume: its triangles lie in one surface, and there is no inside.")


def _no_cells(tables: Tables) -> str:
    return (
        f"{tables.written} has no cells with a measure; it has {tables.kinds}. A domain needs triangles in the plane, "
        f"a closed surface of triangles in space, or tetrahedra. For points alone: pn.domain.cloud(points)."
    )
