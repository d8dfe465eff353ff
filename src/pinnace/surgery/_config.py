"""ConFIG: the direction that makes equal angles with all gradients."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pinnace.surgery._vectors import Vectors, as_vectors, count_of, pulls


class Config(eqx.Module):
    """See `config`."""

    reads = frozenset[str]()

    def init(self, m: int) -> tuple[()]:
        """No state."""
        count_of(m)
        return ()

    def update(self, gradients: Sequence[PyTree], state: tuple[()], *, key: Any = None) -> tuple[PyTree, tuple[()]]:
        """The direction, see `config`."""
        vectors, back = as_vectors(gradients)
        g = pulls(vectors)
        unit = equiangular(g.units)
        length = jnp.sum(g.lengths * (g.units @ unit))
        return back(g.scale * length * unit), state


def equiangular(units: Vectors) -> Float[Array, " size"]:
    """The unit vector along `pinv(units) @ ones`, 0 where that is 0; rows of zeros are left out.

    >>> [round(float(u), 3) for u in equiangular(jnp.array([[1.0, 0.0], [0.0, 1.0]]))]
    [0.707, 0.707]
    """
    directed = jnp.any(units != 0, axis=1).astype(units.dtype)
    # Not through the Gram matrix, whose small eigenvalues are squares: two gradients that are almost opposite are
    # the case that matters, and half of its digits would be gone.
    basis, triangle = jnp.linalg.qr(units.T)
    left, values, right = jnp.linalg.svd(triangle.T, full_matrices=False)
    # What is smaller comes from rounding: parallel or opposite gradients.
    least = 50 * len(units) * jnp.finfo(units.dtype).eps
    kept = values > least * jnp.max(values)
    inverse = jnp.where(kept, 1 / jnp.where(kept, values, 1), 0)
    solution = right.T @ (inverse * (left.T @ directed))
    norm = jnp.linalg.norm(solution)
    exists = norm > least
    return basis @ jnp.where(exists, solution / jnp.where(exists, norm, 1), 0 * solution)


def config() -> Config:
    """ConFIG: go down the direction that makes equal angles with all gradients, so that no loss has to rise.

    `(sum_i <g_i, u>) u` with `u = v / ||v||`, `v = pinv([g_1/||g_1||, ..., g_m/||g_m||]^T) (1, ..., 1)`: the
    conflict-free direction, as long as the sum of the gradients along it. A gradient of zeros has no direction and is
    left out. Gradients that depend on each other linearly are resolved in the sense of least squares, as the
    pseudo-inverse does, with singular values below `50 m eps` of the largest taken as 0; where v is 0 (two opposite
    gradients), so is the direction: nothing lowers both losses.

    Source: Liu, Chu & Thuerey 2024, arXiv 2408.11104.

    >>> surgery = config()
    >>> direction, _ = surgery.update([jnp.array([2.0, 0.0]), jnp.array([0.0, 1.0])], surgery.init(2))
    >>> [round(float(w), 3) for w in direction]
    [1.5, 1.5]
    """
    return Config()
