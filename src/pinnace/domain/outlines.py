"""The distance to the facets of a polygon or polyhedron in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial, reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pinnace._errors import DomainError
from pinnace.domain.rvachev import CORNER, beyond, conjunction, within_sphere
from pinnace.expr import Expr

FLAT = 1e-4
"""How near to the plane of a triangle, in parts of the size, it is seen as no triangle."""

NEAR = 1e-7
"""How far from a corner, in parts of the size, the distance is not what it should be."""

MOST = 4096
"""Facets that a distance looks at, at every point."""


@dataclass(frozen=True, eq=False)
class Outline:
    """Distance to the edges of a polygon: its mean value potential, 2 over the integral of 1 / (distance along a ray).

    Of slope 1 on all edges, infinitely often differentiable inside, negative outside, and blind to corners of 180
    degrees. Where edges meet at right angles it is f + g - sqrt(f^2 + g^2); unless it is `normalized`, it is multiplied
    there, and at all sharper corners, by what makes it the product f g.

    Sources: Dyken, Floater, Computer Aided Geometric Design 26 (2009) 117; Belyaev, Fayolle, Pasko, Computer-Aided
    Design 45 (2013) 523; Sukumar, Srivastava, arXiv 2104.08426.
    """

    edges: Float[np.ndarray, "edges 2 2"]
    """The inside is on their left."""
    normalized: bool

    __name__ = "distance"

    @cached_property
    def size(self) -> float:
        """The shorter side of the box around it."""
        return float(np.ptp(self.edges.reshape(-1, 2), axis=0).min())

    def __call__(self, x: Float[Array, ""], y: Float[Array, ""]) -> Float[Array, ""]:
        """The value at one point."""
        start, stop = self.edges[:, 0], self.edges[:, 1]
        tiny = NEAR * self.size
        at = jnp.stack([x, y])
        a, b = jnp.asarray(start, at.dtype) - at, jnp.asarray(stop, at.dtype) - at
        ra, rb = (jnp.sqrt(jnp.sum(one**2, axis=1) + tiny**2) for one in (a, b))
        area, dot = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], jnp.sum(a * b, axis=1)
        inverse, behind = 1 / ra + 1 / rb, dot < ra * rb / 2
        # tan of half the angle under which a side is seen, without the cancellation at either end of its range
        apart = jnp.where(jnp.abs(area) > tiny * self.size, area, tiny * self.size)
        opened = jnp.where(behind, ra * rb - dot, 1.0)
        closed = jnp.where(behind, 1.0, ra * rb + dot)
        term = inverse * jnp.where(behind, opened / apart, area / closed)
        # the largest term goes before the sum: on its side it is infinite, and its inverse zero
        pivot = jnp.arange(len(start)) == jnp.argmax(jax.lax.stop_gradient(jnp.abs(term)))
        own = jnp.sum(jnp.where(pivot, jnp.where(behind, area / opened, closed / apart) / inverse, 0.0))
        value = 2 * own / (1 + own * jnp.sum(jnp.where(pivot, 0.0, term)))
        return value if self.normalized else value * self._flattened(a, ra)

    def _flattened(self, a: Float[Array, "n 2"], ra: Float[Array, "n"]) -> Float[Array, ""]:
        """What goes to zero at right and sharper corners, and is 1 away from them."""
        corners, along, back, reach = self._corners
        if not len(corners):
            return jnp.ones(())
        offset, r = -a[corners], ra[corners]
        f = along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]
        g = back[:, 1] * offset[:, 0] - back[:, 0] * offset[:, 1]
        tiny = NEAR * self.size
        level = jnp.sqrt(jnp.maximum((r + f) * (r + g), 0.0) + tiny**2)
        near = jnp.exp(-((r / (8 * reach)) ** 4))
        return jnp.prod(1 - near * reach / (level + reach))

    @cached_property
    def _corners(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The corners of 90 degrees and less: their numbers, directions of the two sides away from them, and reach."""
        found = []
        ending = {tuple(stop): start for start, stop in self.edges}
        for number, (corner, after) in enumerate(self.edges):
            along, back = after - corner, ending[tuple(corner)] - corner
            turn = along[0] * back[1] - along[1] * back[0]
            if turn > 0 and along @ back >= -1e-9 * np.linalg.norm(along) * np.linalg.norm(back):
                shortest = min(np.linalg.norm(along), np.linalg.norm(back))
                found.append((number, along / np.linalg.norm(along), back / np.linalg.norm(back), CORNER * shortest))
        if not found:
            return np.zeros(0, int), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)
        number, along, back, reach = map(np.array, zip(*found, strict=True))
        return number, along, back, reach


@dataclass(frozen=True, eq=False)
class Surface:
    """Distance to the triangles of a closed surface: its mean value potential, pi over the integral of 1 / (distance
    along a ray). Of slope 1 on all triangles, infinitely often differentiable inside, negative outside.

    Sources: as `Outline`; the integral over a triangle as in Ju, Schaefer, Warren, ACM Transactions on Graphics 24
    (2005) 561.
    """

    facets: Float[np.ndarray, "facets 3 3"]
    """Counter-clockwise where they are seen from outside."""

    __name__ = "distance"

    def __call__(self, x: Float[Array, ""], y: Float[Array, ""], z: Float[Array, ""]) -> Float[Array, ""]:
        """The value at one point."""
        size = float(np.ptp(self.facets.reshape(-1, 3), axis=0).min())
        edges = np.roll(self.facets, -1, axis=1) - self.facets
        normals = np.cross(edges[:, 0], edges[:, 1])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        at = jnp.stack([x, y, z])
        a = jnp.asarray(self.facets, at.dtype) - at
        b = jnp.concatenate([a[:, 1:], a[:, :1]], axis=1)
        height = jnp.sum(a[:, 0] * normals, axis=1)
        across = jnp.sum(jnp.cross(a, b) * normals[:, None], axis=2)
        lengths = np.linalg.norm(edges, axis=2)
        sine = jnp.sqrt(across**2 + (height[:, None] * lengths) ** 2 + (NEAR * size) ** 4)
        angle = jnp.arctan2(sine, jnp.sum(a * b, axis=2))
        # how much of the half sphere before it a triangle covers, weighed by the cosine: pi for all of it
        seen = jnp.sum(angle * across / sine, axis=1) / 2
        # a triangle that is seen along its plane adds nothing, and rounding errors over its height a lot
        term = seen * height / (height**2 + (FLAT * size) ** 2)
        largest = jnp.argmax(jax.lax.stop_gradient(jnp.abs(seen) / (jnp.abs(height) + NEAR**2 * size)))
        pivot = jnp.arange(len(a)) == largest
        own = jnp.sum(jnp.where(pivot, height / jnp.where(pivot, seen, 1.0), 0.0))
        return jnp.pi * own / (1 + own * jnp.sum(jnp.where(pivot, 0.0, term)))


@lru_cache(64)
def outline(shape: Any, normalized: bool) -> Outline | Surface:
    """The distance to all facets of a faceted shape, as a function of one point.

    Raises DomainError where there are too many.
    """
    if len(shape.facets) > MOST:
        raise DomainError(
            f"{shape!r} has {len(shape.facets)} facets, and the distance as an expression looks at all of them at each "
            f"point: {MOST} at most. Take a coarser mesh for it, or a loss at the points of the boundary."
        )
    return Outline(shape.facets, normalized) if shape.dim == 2 else Surface(shape.facets)


def facet(corners: Float[np.ndarray, "dim dim"], coordinates: Sequence[Expr]) -> tuple[Expr, Expr]:
    """Of one segment or triangle: the distance to its line or plane, positive inside, and what is positive on it."""
    middle, dim = corners.mean(axis=0), len(corners)
    edges = np.roll(corners, -1, axis=0) - corners
    if dim == 2:
        inward = np.array([-edges[0, 1], edges[0, 0]])
        radius = float(np.linalg.norm(edges[0])) / 2
        return _plane(corners[0], inward, coordinates), within_sphere(coordinates, middle.tolist(), radius)
    outward = np.cross(edges[0], edges[1])
    sides = [_plane(corner, np.cross(outward, edge), coordinates) for corner, edge in zip(corners, edges, strict=True)]
    size = float(np.linalg.norm(edges, axis=1).min())
    return _plane(corners[0], -outward, coordinates), reduce(partial(conjunction, size=size), sides)


def _plane(corner: np.ndarray, normal: np.ndarray, coordinates: Sequence[Expr]) -> Expr:
    unit = (normal / np.linalg.norm(normal)).tolist()
    return reduce(add, [n * beyond(x, c) for x, c, n in zip(coordinates, corner.tolist(), unit, strict=True) if n])
