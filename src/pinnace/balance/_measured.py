"""What is measured beside the losses, one a loss: gradients as pytrees, traces as numbers."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from pinnace._errors import BalanceError, listed
from pinnace.balance._formula import SMALLEST
from pinnace.balance._losses import Losses


def as_trees(grads: Any, losses: Losses, m: int) -> tuple[PyTree, ...]:
    """One pytree of gradients a loss, in the order that the losses have as a vector.

    >>> as_trees({"pde": {"w": 1.0}, "bc": {"w": 2.0}}, {"pde": 0.1, "bc": 0.2}, 2)
    ({'w': 2.0}, {'w': 1.0})
    """
    grads = _by_loss("grads", grads, losses)
    if isinstance(grads, jax.Array | np.ndarray) and grads.ndim:
        grads = list(grads)
    if not isinstance(grads, list | tuple) or len(grads) != m:
        number = f"{len(grads)} of them" if isinstance(grads, list | tuple) else f"a {type(grads).__name__}"
        raise BalanceError(
            f"update got grads = {number}, but there are {m} losses: expected a sequence of {m} pytrees, the gradient "
            "of each raw loss with respect to the parameters, for example [jax.grad(loss)(params) for loss in losses]."
        )
    trees = tuple(eqx.filter(tree, _inexact) for tree in grads)
    for i, tree in enumerate(trees):
        if not jax.tree.leaves(tree):
            raise BalanceError(f"update got grads[{i}] without an array of floats, expected a gradient.")
    return trees


def as_traces(traces: Any, losses: Losses, m: int) -> Float[Array, " m"]:
    """One number a loss, in the order that the losses have as a vector.

    >>> as_traces({"pde": 3.0, "bc": 1.0}, {"pde": 0.1, "bc": 0.2}, 2).tolist()
    [1.0, 3.0]
    """
    traces = _by_loss("traces", traces, losses)
    vector = jnp.stack([jnp.asarray(trace) for trace in traces]) if isinstance(traces, list) else jnp.asarray(traces)
    if vector.shape != (m,) or jnp.issubdtype(vector.dtype, jnp.complexfloating):
        raise BalanceError(
            f"update got traces of shape {vector.shape} and type {vector.dtype}, but there are {m} losses: expected "
            "one real number for each, as pinnace.balance.ntk_trace computes it."
        )
    return vector


def _by_loss(signal: str, given: Any, losses: Losses) -> Any:
    if not isinstance(losses, Mapping):
        if isinstance(given, Mapping):
            raise BalanceError(
                f"update got {signal} by name ({listed(given)}), but losses without names. "
                "Give both as a dict, or both as a list."
            )
        return given
    names = sorted(losses)
    if not isinstance(given, Mapping) or sorted(given) != names:
        got = listed(given) if isinstance(given, Mapping) else f"a {type(given).__name__}"
        raise BalanceError(
            f"update got {signal} for {got}, but the losses are {listed(names)}. Give one for each by name."
        )
    return [given[name] for name in names]


def _inexact(leaf: Any) -> bool:
    numeric = isinstance(leaf, jax.Array | np.ndarray | np.generic | float | complex)
    return numeric and jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)


def norms(trees: tuple[PyTree, ...], dtype: Any) -> Float[Array, " m"]:
    """The Euclidean norm of each tree, not below 1e-30.

    >>> norms(({"w": jnp.array([3e30, 4e30])}, {"w": jnp.zeros(2)}), jnp.float32)
    Array([5.e+30, 1.e-30], dtype=float32)
    """
    return _each(trees, dtype, lambda sizes: jnp.sqrt(sum(jnp.sum(size**2) for size in sizes)))


def means(trees: tuple[PyTree, ...], dtype: Any) -> Float[Array, " m"]:
    """The mean of the absolute values of each tree, not below 1e-30."""
    return _each(trees, dtype, lambda sizes: sum(map(jnp.sum, sizes)) / max(sum(size.size for size in sizes), 1))


def largest(tree: PyTree, dtype: Any) -> Float[Array, ""]:
    """The largest absolute value, not below 1e-30."""
    return _each((tree,), dtype, lambda sizes: jnp.ones((), dtype))[0]


def _each(trees: tuple[PyTree, ...], dtype: Any, measure: Callable[[list[Array]], Any]) -> Float[Array, " m"]:
    """A homogeneous measure of each tree, taken after dividing by the largest entry: 1e30 squared is no float32."""

    def scaled(tree: PyTree) -> Array:
        sizes = [jnp.abs(jnp.asarray(leaf)).astype(dtype) for leaf in jax.tree.leaves(tree)]
        top = jnp.max(jnp.stack([jnp.max(size, initial=0) for size in sizes]))
        unit = jnp.where(top > 0, top, 1)
        return jnp.maximum(top * measure([size / unit for size in sizes]), SMALLEST)

    return jnp.stack([scaled(tree) for tree in trees]).astype(dtype)
