"""Everything that changes, as one pytree."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int, PyTree, UInt32

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
    damping: Float[Array, ""]
    """What all rates are multiplied with: 1, and half of it each time that a run goes back after a fault."""
    surgery: PyTree
    """The state of what combines the gradients of the entries."""
    key: UInt32[Array, " words"]
    """The random key of the problem, as data."""
    step: Int[Array, ""]
    """All steps so far."""


def sound(before: PyTree, after: PyTree) -> Bool[Array, ""]:
    """Whether no number that was finite before is NaN or infinite after."""
    return _kept(jnp.isfinite, before, after)


def clean(before: PyTree, after: PyTree) -> Bool[Array, ""]:
    """Whether no number is NaN after that was none before; infinity may be a memory of its own kind."""
    return _kept(lambda numbers: ~jnp.isnan(numbers), before, after)


def _kept(good: Any, before: PyTree, after: PyTree) -> Bool[Array, ""]:
    pairs = zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    lost = [jnp.any(good(old) & ~good(new)) for old, new in pairs if jnp.issubdtype(new.dtype, jnp.inexact)]
    return ~jnp.any(jnp.stack(lost)) if lost else jnp.array(True)


def settled(tree: PyTree) -> PyTree:
    """The same tree of arrays, none of them of a weak type: a step must give back exactly the types that it takes."""
    return jax.tree.map(_strong, tree)


def _strong(leaf: Any) -> Array:
    if is_key(leaf) or (isinstance(leaf, jax.Array) and not leaf.weak_type):
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


def is_key(leaf: Any) -> bool:
    """Whether a leaf is a typed random key, which balancers of one's own may keep."""
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _fit(new: Any, old: Array, what: str) -> Array:
    if is_key(old) and is_key(new) and new.shape == old.shape:
        return new
    array = jnp.asarray(new)
    same_kind = jnp.issubdtype(array.dtype, jnp.floating) == jnp.issubdtype(old.dtype, jnp.floating)
    if array.shape != old.shape or not same_kind:
        raise LoweringError(
            f"{what} gave back {array.dtype}{list(array.shape)} where it took {old.dtype}{list(old.shape)}. "
            f"A state keeps its shapes and types, so that it can be the carry of a loop."
        )
    return array.astype(old.dtype)
