"""Gradients as directions and lengths: what all surgeries compute with."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from pinnace._errors import SurgeryError

Vectors = Float[Array, "m size"]


class Pulls(NamedTuple):
    """m gradients: `scale * lengths[i] * units[i]`, the largest length being of the order of 1.

    A gradient of zeros has no direction: its unit is 0, and its length. So nothing overflows whatever the scales of
    the gradients, and nothing is lost of a small one's direction.
    """

    units: Vectors
    lengths: Float[Array, " m"]
    scale: Float[Array, ""]

    def combined(self, shares: Float[Array, " m"]) -> Float[Array, " size"]:
        """`sum_i shares[i] * units[i]`, times the scale."""
        return self.scale * (shares @ self.units)


def pulls(vectors: Vectors, scales: Float[Array, " m"] | float = 1.0) -> Pulls:
    """The directions and lengths of `scales[i] * vectors[i]`.

    >>> pulls(jnp.array([[3e30, 4e30], [0.0, 0.0]])).units.round(3)
    Array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    tops = jnp.max(jnp.abs(vectors), axis=1)
    # Divided by the largest entry first: 1e30 squared is no number in float32, nor is 1e-30.
    scaled = vectors / _or_one(tops)[:, None]
    norms = jnp.sqrt(jnp.sum(scaled**2, axis=1))
    sizes = tops * scales
    scale = jnp.max(sizes)
    return Pulls(scaled / _or_one(norms)[:, None], sizes / _or_one(scale) * norms, scale)


def _or_one(number: Array) -> Array:
    return jnp.where(number == 0, 1, number)


def as_vectors(gradients: Sequence[PyTree]) -> tuple[Vectors, Callable[[Float[Array, " size"]], PyTree]]:
    """The gradients as rows of real numbers, and how a row becomes such a pytree again.

    Complex leaves count as pairs of real numbers. Raises SurgeryError where the pytrees differ in structure, shapes or
    dtypes, or hold something else than floats.

    >>> rows, back = as_vectors([{"w": jnp.array([1.0, 2.0]), "b": None}, {"w": jnp.array([3.0, 4.0]), "b": None}])
    >>> rows.tolist(), back(rows[1])["w"].tolist()
    ([[1.0, 2.0], [3.0, 4.0]], [3.0, 4.0])
    """
    first, structure = gradients[0], jax.tree.structure(gradients[0])
    like = [jnp.asarray(leaf) for leaf in jax.tree.leaves(first)]
    if not like or not all(jnp.issubdtype(leaf.dtype, jnp.inexact) for leaf in like):
        raise SurgeryError(
            f"surgery got gradients {_shown(first)}, expected pytrees with arrays of floats only. "
            "Take them with jax.grad, or filter them with eqx.filter(..., eqx.is_inexact_array)."
        )
    for i, gradient in enumerate(gradients):
        if _shown(gradient) != _shown(first):
            raise SurgeryError(
                f"surgery got gradient {i} as {_shown(gradient)}, but gradient 0 as {_shown(first)}. "
                "Take all of them with respect to the same parameters."
            )
    dtype = jnp.result_type(jnp.float32, *(leaf.real.dtype for leaf in like))

    def row(gradient: PyTree) -> Array:
        leaves = map(jnp.asarray, jax.tree.leaves(gradient))
        return jnp.concatenate([part.astype(dtype).ravel() for leaf in leaves for part in _parts(leaf)])

    def back(vector: Float[Array, " size"]) -> PyTree:
        ends = np.cumsum([part.size for leaf in like for part in _parts(leaf)])[:-1].tolist()
        pieces = iter(jnp.split(vector, ends))
        leaves = []
        for leaf in like:
            parts = [next(pieces).reshape(leaf.shape) for _ in _parts(leaf)]
            leaves.append((parts[0] if len(parts) == 1 else jax.lax.complex(*parts)).astype(leaf.dtype))
        return jax.tree.unflatten(structure, leaves)

    return jnp.stack([row(gradient) for gradient in gradients]), back


def _parts(leaf: Array) -> tuple[Array, ...]:
    return (leaf.real, leaf.imag) if jnp.iscomplexobj(leaf) else (leaf,)


def _shown(gradient: PyTree) -> str:
    kinds = jax.tree.map(lambda leaf: f"{jnp.result_type(leaf).name}{list(jnp.shape(leaf))}", gradient)
    return str(kinds).replace("'", "")


def count_of(m: Any) -> int:
    """The number of losses, checked."""
    if isinstance(m, bool) or not isinstance(m, Integral) or m < 1:
        raise SurgeryError(f"init({m!r}): expected the number of losses, at least 1. Write for example init(2).")
    return int(m)
