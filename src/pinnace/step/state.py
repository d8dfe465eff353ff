"""Everything that changes, as one pytree."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Int, PyTree, UInt32

from pinnace._errors import LoweringError


class State(eqx.Module):
    """The state of a crux: what a step takes and gives back, and what a checkpoint holds."""

    params: tuple[PyTree, ...]
    """The arrays of each trained module, in order of first use."""
    optimizers: tuple[PyTree, ...]
    """The state of each optimizer, in order of the first field that it trains."""
    counts: tuple[Int[Array, ""], ...]
    """The updates of each optimizer since it was attached: the epoch that its schedule sees."""
    rates: tuple[PyTree, ...]
    """The state of each schedule."""
    cells: tuple[PyTree, ...]
    """The state of each balancer, and of point weights."""
    weights: tuple[Array, ...]
    """The weights that each of them gave last; 1 before the first step."""
    points: tuple[Array, ...]
    """The point sets `[n, d]` as they are."""
    samplers: tuple[PyTree, ...]
    """The state of each sampler."""
    surgery: PyTree
    """The state of what combines the gradients of the entries."""
    key: UInt32[Array, " words"]
    """The random key of the problem, as data."""
    step: Int[Array, ""]
    """All steps so far."""


def settled(tree: PyTree) -> PyTree:
    """The same tree of arrays, none of them of a weak type: a step must give back exactly the types that it takes."""
    return jax.tree.map(_strong, tree)


def _strong(leaf: Any) -> Array:
    if isinstance(leaf, jax.Array) and not leaf.weak_type:
        return leaf
    dtype = jnp.result_type(leaf)
    return jnp.asarray(leaf, dtype) if isinstance(leaf, Tracer) else jnp.asarray(np.asarray(leaf, dtype))


def like(new: PyTree, old: PyTree, what: str) -> PyTree:
    """The new state in the types of the old one.

    Raises LoweringError where structure, shapes or kinds of numbers have changed.
    """
    if jax.tree.structure(new) != jax.tree.structure(old):
        raise LoweringError(
            f"{what} gave back a state of another structure than it took: {jax.tree.structure(new)} instead of "
            f"{jax.tree.structure(old)}. A state keeps its structure, so that it can be the carry of a loop."
        )
    return jax.tree.map(lambda a, b: _fit(a, b, what), new, old)


def _fit(new: Any, old: Array, what: str) -> Array:
    array = jnp.asarray(new)
    same_kind = jnp.issubdtype(array.dtype, jnp.floating) == jnp.issubdtype(old.dtype, jnp.floating)
    if array.shape != old.shape or not same_kind:
        raise LoweringError(
            f"{what} gave back {array.dtype}{list(array.shape)} where it took {old.dtype}{list(old.shape)}. "
            f"A state keeps its shapes and types, so that it can be the carry of a loop."
        )
    return array.astype(old.dtype)
