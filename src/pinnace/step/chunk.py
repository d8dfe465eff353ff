"""Many steps in one compiled call, of any number: a loop that writes its log into buffers made inside."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.core
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, PyTree

from pinnace.step.advance import Row, advance
from pinnace.step.recipe import Recipe
from pinnace.step.state import State, sound

LOG_BYTES = 1 << 26
"""The most that the log of one chunk may take."""
LOG_ROWS = 1024
"""The most steps in one chunk."""


class Chunk(eqx.Module):
    """What a chunk gives back."""

    state: State
    """After the last step; of no use where the losses of that were not finite."""
    rows: Row
    """The log, one row a step along the first axis; rows from `count` on are empty."""
    count: Int[Array, ""]
    finite: Bool[Array, ""]
    sound: Bool[Array, ""]
    """Whether all parameters are finite that were so at the start."""


@partial(jax.jit, static_argnums=0)
def run_chunk(recipe: Recipe, numbers: PyTree, state: State, length: Int[Array, ""]) -> Chunk:
    """Up to `length` steps from `state`; stops after the first whose losses are not finite.

    The step is traced once and read into the loop, so that one compilation serves every length. No state but the newest
    is kept: whoever needs an earlier one takes fewer steps from the start again, which gives the same.
    """
    traced, shapes = jax.make_jaxpr(partial(advance, recipe), return_shape=True)(numbers, state)
    structure, held = jax.tree.structure(shapes), recipe.placement.held

    def step(state: State) -> tuple[State, Row, Array]:
        flat = jax.core.eval_jaxpr(traced.jaxpr, traced.consts, *jax.tree.leaves((numbers, state)))
        return jax.tree.unflatten(structure, flat)

    def body(carry: Chunk) -> Chunk:
        after, row, finite = step(held(carry.state))
        rows = jax.tree.map(lambda log, value: log.at[carry.count].set(value), carry.rows, row)
        return Chunk(after, rows, carry.count + 1, finite, carry.sound)

    capacity = capacity_of(shapes[1])
    rows = jax.tree.map(lambda shape: jnp.zeros((capacity, *shape.shape), shape.dtype), shapes[1])
    start = Chunk(state, rows, jnp.zeros((), int), jnp.array(True), jnp.array(True))
    end = lax.while_loop(lambda chunk: (chunk.count < jnp.minimum(length, capacity)) & chunk.finite, body, start)
    kept = sound(state.params, end.state.params)
    return Chunk(held(end.state), recipe.placement.whole(end.rows), end.count, end.finite, kept)


def capacity_of(row: Any) -> int:
    """How many rows of this shape one chunk may log."""
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(row))
    return max(1, min(LOG_ROWS, LOG_BYTES // max(size, 1)))
