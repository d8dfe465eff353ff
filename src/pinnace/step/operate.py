"""Surgery: a direction from the gradients of the single entries, instead of the gradient of their sum."""

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import equinox as eqx
import jax
import jax.core
from jaxtyping import Array, PyTree

from pinnace.step.recipe import Operation
from pinnace.step.state import State, like

Entries = Callable[[PyTree], tuple[list[Array], Any]]
"""The entries at some parameters, and what was seen on the way."""


def summed(entries_of: Entries, trained: PyTree) -> tuple[Any, PyTree]:
    """What was seen, and the gradient of the sum of the entries."""

    def total_of(trained: PyTree) -> tuple[Array, Any]:
        entries, seen = entries_of(trained)
        return reduce(add, entries), seen

    gradient, seen = jax.grad(total_of, has_aux=True)(trained)
    return seen, gradient


def combined(
    operation: Operation, numbers: PyTree, entries_of: Entries, trained: PyTree, state: State, key: Any
) -> tuple[Any, PyTree, PyTree]:
    """What was seen, the direction in the place of that gradient, and the next state of surgery.

    The forward pass is traced once. Each entry then has a gradient of its own: cheaper than one pass back for all, in
    which the compiler keeps the zeros of the others.
    """
    traced, shapes = jax.make_jaxpr(entries_of, return_shape=True)(trained)

    def again(trained: PyTree) -> tuple[list[Array], Any]:
        flat = jax.core.eval_jaxpr(traced.jaxpr, traced.consts, *jax.tree.leaves(trained))
        return jax.tree.unflatten(jax.tree.structure(shapes), flat)

    def entry(k: int) -> Callable[[PyTree], Array]:
        return lambda trained: again(trained)[0][k]

    entries, seen = again(trained)
    gradients = [jax.grad(entry(k))(trained) for k in range(len(entries))]
    surgery = eqx.combine(numbers, operation.static.tree)
    signals = {"key": key} if "key" in operation.reads else {}
    direction, after = surgery.update(gradients, state.surgery, **signals)
    return seen, like(direction, trained, "the surgery"), like(after, state.surgery, "the surgery")
