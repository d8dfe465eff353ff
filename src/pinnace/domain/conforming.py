"""Facets of meshes, as numbers of their corners: which lie on the boundary, and whether they close it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pinnace._errors import DomainError
from pinnace.domain.flat import facets_of

Numbers = Int[np.ndarray, "m corners"]


def merged(points: Float[np.ndarray, "n dim"], cells: Numbers) -> tuple[Float[np.ndarray, "k dim"], Numbers]:
    """The same cells on points of which no two are equal; cells with a corner twice are left out."""
    kept, number = np.unique(points, axis=0, return_inverse=True)
    cells = number.reshape(-1)[cells]
    ordered = np.sort(cells, axis=1)
    return kept, cells[np.all(ordered[:, 1:] != ordered[:, :-1], axis=1)]


def wound(points: Float[np.ndarray, "n dim"], cells: Numbers) -> Numbers:
    """The same cells, all of them wound the positive way, without flat ones."""
    corners = points[cells]
    turn = np.linalg.det(corners[:, 1:] - corners[:, :1])
    swapped = cells[:, [1, 0, *range(2, cells.shape[1])]]
    return np.where(turn[:, None] < 0, swapped, cells)[turn != 0]


def boundary_of(cells: Numbers, what: str) -> Numbers:
    """The sides that belong to one cell only, with their outside where their normals point.

    Raises DomainError where a side belongs to more than two.
    """
    sides = facets_of(cells)
    sides = sides.reshape(-1, sides.shape[2])
    _, first, count = np.unique(np.sort(sides, axis=1), axis=0, return_index=True, return_counts=True)
    if count.max() > 2:
        raise DomainError(
            f"{what} has {int(np.sum(count > 2))} sides that belong to three or more cells: cells lie upon each other. "
            f"Mesh it again, or leave out the doubles."
        )
    return sides[np.sort(first[count == 1])]


def check_closed(triangles: Numbers, what: str) -> None:
    """Raises DomainError unless every edge is run through once in each direction."""
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    _, number, count = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    forward = np.bincount(number.reshape(-1), edges[:, 0] < edges[:, 1], minlength=len(count))
    # where sheets touch along an edge there are four triangles, two in each direction
    open_edges, turned = int(np.sum(count % 2)), int(np.sum((count % 2 == 0) & (2 * forward != count)))
    if open_edges:
        raise DomainError(
            f"{what} is not watertight: {open_edges} of its {len(count)} edges belong to an odd number of triangles, "
            f"so that it has no inside. Repair it: mesh = trimesh.load_mesh(path); mesh.merge_vertices(); "
            f"trimesh.repair.fill_holes(mesh); then pn.domain.mesh(mesh)."
        )
    if turned:
        raise DomainError(
            f"{what} is not wound consistently: at {turned} of its {len(count)} edges the two triangles disagree about "
            f"what is outside. Repair it: trimesh.repair.fix_normals(mesh), then pn.domain.mesh(mesh)."
        )


@dataclass(frozen=True)
class Places:
    """Facets by their corners, in whatever order."""

    facets: Numbers

    def of(self, others: Numbers) -> Int[np.ndarray, "k"]:
        """The numbers of the facets with the corners of the others; those that are no facets are left out."""
        rows = {tuple(sorted(row)): number for number, row in enumerate(self.facets.tolist())}
        found = {rows.get(tuple(sorted(row)), -1) for row in others.tolist()}
        return np.array(sorted(found - {-1}), int)
