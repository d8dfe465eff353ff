"""The distance to the sides of a polygon in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pinnace.domain.rvachev import CORNER
from pinnace.expr import Expr

NEAR = 1e-7
"""How far from a corner, in parts of the size, the distance is not what it should be."""

Loop = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Outline:
    """Distance to the sides of a polygon: its mean value potential, 2 over the integral of 1 / (distance along a ray).

    Of slope 1 on all sides, infinitely often differentiable inside, and blind to corners of 180 degrees. Where the
    sides meet at right angles it is f + g - sqrt(f^2 + g^2); unless it is `normalized`, it is multiplied there, and at
    all sharper corners, by what makes it the product f g. Holes run the other way round than the outer loop, which
    has the inside on its left.

    Sources: Dyken, Floater, Computer Aided Geometric Design 26 (2009) 117; Belyaev, Fayolle, Pasko, Computer-Aided
    Design 45 (2013) 523; Sukumar, Srivastava, arXiv 2104.08426, section 3.
    """

    loops: tuple[Loop, ...]
    normalized: bool

    __name__ = "distance"

    @property
    def size(self) -> float:
        """The shorter side of the box around it."""
        return float(np.ptp(np.concatenate(self.loops), axis=0).min())

    def __call__(self, x: Float[Array, ""], y: Float[Array, ""]) -> Float[Array, ""]:
        """The value at one point."""
        start = np.concatenate(self.loops)
        stop = np.concatenate([np.roll(loop, -1, axis=0) for loop in self.loops])
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
        corners, along, back, reach = self._corners()
        if not len(corners):
            return jnp.ones(())
        offset, r = -a[corners], ra[corners]
        f = along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]
        g = back[:, 1] * offset[:, 0] - back[:, 0] * offset[:, 1]
        tiny = NEAR * self.size
        level = jnp.sqrt(jnp.maximum((r + f) * (r + g), 0.0) + tiny**2)
        near = jnp.exp(-((r / (8 * reach)) ** 4))
        return jnp.prod(1 - near * reach / (level + reach))

    def _corners(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The corners of 90 degrees and less: their numbers, directions of the two sides away from them, and reach."""
        found = []
        for number, (before, corner, after) in enumerate(self._triples()):
            along, back = after - corner, before - corner
            turn = along[0] * back[1] - along[1] * back[0]
            if turn > 0 and along @ back >= -1e-9 * np.linalg.norm(along) * np.linalg.norm(back):
                shortest = min(np.linalg.norm(along), np.linalg.norm(back))
                found.append((number, along / np.linalg.norm(along), back / np.linalg.norm(back), CORNER * shortest))
        if not found:
            return np.zeros(0, int), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)
        number, along, back, reach = map(np.array, zip(*found, strict=True))
        return number, along, back, reach

    def _triples(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        return [
            (loop[k - 1], loop[k], loop[(k + 1) % len(loop)])
            for loop in map(np.array, self.loops)
            for k in range(len(loop))
        ]


def outline(loops: Sequence[Sequence[tuple[float, float]]], coordinates: Sequence[Expr], normalized: bool) -> Expr:
    """The distance to the sides of a polygon as an expression; the outer loop counter-clockwise, holes clockwise."""
    plain = tuple(tuple((float(x), float(y)) for x, y in loop) for loop in loops)
    return Expr("apply", tuple(coordinates), (Outline(plain, normalized), ()))
