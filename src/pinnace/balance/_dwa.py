"""Dynamic weight average: weights from the quotient of successive losses, or of their means over blocks."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from pinnace.balance._arguments import Arguments
from pinnace.balance._base import BalancerState, LossBalancer, Moment
from pinnace.balance._formula import below_largest, quotient, share


class _Memory(NamedTuple):
    total: Float[Array, " m"]
    finite: Int[Array, " m"]
    previous: Float[Array, " m"]


class Dwa(LossBalancer):
    """See `dwa`."""

    temperature: float | Array

    def memory_before(self, m, dtype) -> _Memory:
        return _Memory(jnp.zeros(m, dtype), jnp.zeros(m, int), jnp.ones(m, dtype))

    def due(self, state: BalancerState) -> Bool[Array, ""]:
        return (state.calls + 1) % self.every == 0

    def listen(
        self, losses: Float[Array, " m"], memory: _Memory, due: Bool[Array, ""]
    ) -> tuple[Float[Array, " m"], _Memory]:
        finite = jnp.isfinite(losses)
        total = memory.total + jnp.where(finite, losses, 0)
        number = memory.finite + finite
        # A loss without a finite value in its block has no mean: the infinity keeps the weights as they are.
        mean = jnp.where(number > 0, total / jnp.maximum(number, 1), jnp.inf)
        return mean, _Memory(jnp.where(due, 0, total).astype(total.dtype), jnp.where(due, 0, number), memory.previous)

    def move(self, now: Moment, memory: _Memory) -> tuple[Float[Array, " m"], _Memory]:
        weights = share(below_largest(quotient(now.losses, memory.previous)) / self.temperature)
        return jnp.where(now.t == 0, 1, weights), memory._replace(previous=now.losses)


def dwa(
    temperature: float = 2.0,
    *,
    mode: str = "raw",
    every: int = 1,
    min_weight: float | None = None,
    max_weight: float | None = None,
) -> Dwa:
    """Weigh losses by the softmax of their value over their previous value: what falls slowest counts most.

    `temperature`: above 0; large ones bring all weights to 1. `every=k`: means over blocks of k calls are
    compared instead of single values, and the weights move at the last call of each block (non-finite
    values are left out of the means). `mode`: "raw", "minmax" or "l2", applied to these means.
    `min_weight`, `max_weight`: clamps. Weights sum to m before clamps. Raises BalanceError for numbers out
    of these ranges.

    Source: Liu, Johns & Davison 2019, arXiv 1803.10704.

    >>> balancer = dwa(temperature=1.0)
    >>> _, state = balancer.update([1.0, 1.0], balancer.init(2))
    >>> weights, state = balancer.update([1.0, 0.5], state)
    >>> [round(float(w), 3) for w in weights]
    [1.245, 0.755]
    """
    given = Arguments(dwa)
    return Dwa(
        temperature=given.real("temperature", temperature, above=0),
        **given.common(mode, every, min_weight, max_weight),
    )
