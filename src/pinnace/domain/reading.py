"""Meshes as tables of points and corners, from whatever holds them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pinnace._errors import DomainError

SURFACES = (".stl", ".obj", ".ply", ".off", ".glb", ".gltf", ".3mf")
"""Files that trimesh reads; all others are for meshio."""
TRIANGLES, TETRAHEDRA, SEGMENTS = ("triangle", "triangle6", "triangle7"), ("tetra", "tetra10"), ("line", "line3")
FLAT = {**dict.fromkeys(TRIANGLES, 3), **dict.fromkeys(TETRAHEDRA, 4), **dict.fromkeys(SEGMENTS, 2), "quad": 4}
OWN = ("interior", "boundary", "initial", "final")
"""Regions of every domain: a group of that name is called after them, with "_group"."""

Corners = Int[np.ndarray, "m corners"]


@dataclass(frozen=True)
class Tables:
    """A mesh as arrays."""

    points: Float[np.ndarray, "n dim"]
    triangles: Corners | None
    tetrahedra: Corners | None
    written: str
    kinds: str = ""
    """Which cells there are, in words."""
    groups: Mapping[str, Corners] = field(default_factory=dict)
    """Named groups of facets."""

    @property
    def dim(self) -> int:
        """Coordinates of the points."""
        return self.points.shape[1]


def read(source: Any) -> Tables:
    """A path, a mesh of trimesh, or a mesh of meshio as arrays.

    Raises DomainError for anything else, and where the library that is needed is not installed.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise DomainError(f"there is no file {str(path)!r}.")
        written = f"mesh({path.name!r})"
        return _surface(_open(path), written) if path.suffix.lower() in SURFACES else _cells(_open(path), written)
    package = type(source).__module__.split(".")[0]
    if package == "trimesh":
        return _surface(source, "mesh")
    if package == "meshio":
        return _cells(source, "mesh")
    raise DomainError(f"mesh(...) takes a path, a trimesh.Trimesh or a meshio.Mesh; got {type(source).__name__}.")


def _open(path: Path) -> Any:
    surface = path.suffix.lower() in SURFACES
    try:
        if surface:
            import trimesh
        else:
            import meshio
    except ImportError as missing:
        raise DomainError(
            f'meshes are read by trimesh and meshio, and {missing.name} is not there: pip install "pinnace[meshes]".'
        ) from None
    if surface:
        try:
            return trimesh.load_mesh(str(path))
        except (ValueError, TypeError, KeyError, IndexError, ImportError, AttributeError) as wrong:
            raise DomainError(f"trimesh cannot read {path.name!r}: {wrong}.") from wrong
    try:
        return meshio.read(path)
    except (meshio.ReadError, ValueError, KeyError, IndexError, ImportError) as wrong:
        raise DomainError(f"meshio cannot read {path.name!r}: {wrong}.") from wrong
    except SystemExit:  # meshio ends the process where no reader takes the file
        raise DomainError(
            f"meshio cannot read {path.name!r}. Is it whole, and of the kind that its name says?"
        ) from None


def _surface(found: Any, written: str) -> Tables:
    """A mesh of trimesh; of a scene all its meshes."""
    if type(found).__name__ == "Scene":
        found = found.to_mesh()
    if type(found).__name__ not in ("Trimesh", "Box", "Sphere", "Cylinder", "Capsule", "Extrusion", "Primitive"):
        raise DomainError(
            f"{written} is a {type(found).__name__} without triangles. A solid needs a closed surface of them."
        )
    points, triangles = np.asarray(found.vertices, float), np.asarray(found.faces)
    _check_finite(points, written)
    return Tables(points, triangles, None, written, f"{len(triangles)} triangles")


def _cells(found: Any, written: str) -> Tables:
    """A mesh of meshio; one plane of points makes a mesh in two dimensions."""
    points = np.asarray(found.points, float)
    counts = {}
    for block in found.cells:
        counts[block.type] = counts.get(block.type, 0) + len(block.data)
    kinds = ", ".join(f"{count} of type {kind}" for kind, count in counts.items()) or "no cells"
    solid = [kind for kind in counts if kind not in FLAT and kind != "vertex"]
    if solid:
        raise DomainError(
            f"{written} has cells of type {', '.join(solid)}; a domain takes triangles and tetrahedra. Split them: in "
            f"Gmsh leave out recombination, in meshio and PyVista triangulate."
        )
    _check_finite(points, written)
    tetrahedra = _joined(found, TETRAHEDRA)
    if points.shape[1] == 3 and tetrahedra is None and not np.any(points[:, 2] != points[0, 2]):
        points = points[:, :2]
    triangles = _joined(found, TRIANGLES)
    quads = _joined(found, ("quad",))
    if quads is not None:
        halves = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        triangles = halves if triangles is None else np.concatenate([triangles, halves])
    filled = tetrahedra is not None or points.shape[1] == 2
    facets = TRIANGLES if points.shape[1] == 3 else SEGMENTS
    groups = dict(_named(found, facets)) if filled or facets is TRIANGLES else {}
    return Tables(points, triangles, tetrahedra, written, kinds, groups)


def _joined(found: Any, kinds: tuple[str, ...]) -> Corners | None:
    """The corners of all cells of these kinds; middles of edges are left out."""
    blocks = [np.asarray(block.data)[:, : FLAT[block.type]] for block in found.cells if block.type in kinds]
    return np.concatenate(blocks) if blocks else None


def _named(found: Any, kinds: tuple[str, ...]) -> Iterator[tuple[str, Corners]]:
    """Groups of facets: cell sets, then physical groups of Gmsh, under their names or else their numbers."""
    tables = [np.asarray(block.data)[:, : FLAT.get(block.type, 1)] for block in found.cells]
    chosen = [number for number, block in enumerate(found.cells) if block.type in kinds]
    rows: dict[str, list[Corners]] = {}
    for name, sets in found.cell_sets.items():
        for number in chosen:
            own = sets[number]
            if not name.startswith("gmsh:") and own is not None and len(own):
                rows.setdefault(name, []).append(tables[number][np.asarray(own, int)])
    tags = found.cell_data.get("gmsh:physical", [])
    dim = {3: 2, 2: 1}[FLAT[kinds[0]]]
    known = {int(tag): name for name, (tag, size) in found.field_data.items() if int(size) == dim}
    for number in chosen if tags else ():
        for tag in np.unique(np.asarray(tags[number])[np.asarray(tags[number]) > 0]).tolist():
            name = known.get(int(tag), f"physical_{int(tag)}")
            if name not in found.cell_sets:
                rows.setdefault(name, []).append(tables[number][np.asarray(tags[number]) == tag])
    for name, parts in rows.items():
        yield (f"{name}_group" if name in OWN else name), np.concatenate(parts)


def _check_finite(points: np.ndarray, written: str) -> None:
    if not len(points):
        raise DomainError(f"{written} is empty: it has no points.")
    if not np.all(np.isfinite(points)):
        row = int(np.argmin(np.isfinite(points).all(axis=1)))
        raise DomainError(f"{written}: point {row} is {tuple(points[row].tolist())}; points of a mesh are finite.")
