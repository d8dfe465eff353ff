"""ReLoBRaLo: weights from how far each loss has come, since the start and since the last move."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace.balance._arguments import Arguments
from pinnace.balance._base import LossBalancer, Moment
from pinnace.balance._formula import below_largest, draw_key, quotient, share


class _Memory(NamedTuple):
    first: Float[Array, " m"]
    previous: Float[Array, " m"]


class Relobralo(LossBalancer):
    """See `relobralo`."""

    alpha: float | Array
    tau: float | Array
    expected_rho: float | Array
    seed: int | Array

    def memory_before(self, m, dtype) -> _Memory:
        return _Memory(jnp.ones(m, dtype), jnp.ones(m, dtype))

    def move(self, now: Moment, memory: _Memory) -> tuple[Float[Array, " m"], _Memory]:
        first = jnp.where(now.t == 0, now.losses, memory.first)
        since_start, since_last = (
            share(below_largest(quotient(now.losses, past)) / self.tau) for past in (first, memory.previous)
        )
        looks_ahead = jax.random.bernoulli(draw_key(self.seed, now.t), jnp.asarray(self.expected_rho, now.losses.dtype))
        history = jnp.where(looks_ahead, now.weights, since_start)
        weights = self.alpha * history + (1 - self.alpha) * since_last
        return jnp.where(now.t == 0, 1, weights), _Memory(first, now.losses)


def relobralo(
    alpha: float = 0.99,
    tau: float = 0.1,
    expected_rho: float = 0.999,
    seed: int = 42,
    *,
    mode: str = "raw",
    every: int = 1,
    min_weight: float | None = None,
    max_weight: float | None = None,
) -> Relobralo:
    """Weigh losses by their progress relative to their first and their last values, with random look-backs.

    `alpha`: share of the past, in [0, 1]. `tau`: temperature, above 0; small ones favour the slowest loss
    alone. `expected_rho`: probability, in [0, 1], that a move continues from the last weights and not from
    the start. `seed` of these draws. `mode`: "raw", "minmax" or "l2". `every`: calls from one move to the
    next. `min_weight`, `max_weight`: clamps. Weights sum to m before clamps. Raises BalanceError for
    numbers out of these ranges.

    Source: Bischof & Kraus 2021, arXiv 2110.09813. The authors' code sets alpha to 0 at the second move;
    here not.

    >>> balancer = relobralo(alpha=0.5)
    >>> _, state = balancer.update([1.0, 1.0], balancer.init(2))
    >>> weights, state = balancer.update([1.0, 0.9], state)
    >>> [round(float(w), 3) for w in weights]
    [1.231, 0.769]
    """
    given = Arguments(relobralo)
    return Relobralo(
        alpha=given.real("alpha", alpha, least=0, most=1),
        tau=given.real("tau", tau, above=0),
        expected_rho=given.real("expected_rho", expected_rho, least=0, most=1),
        seed=given.whole("seed", seed, least=0),
        **given.common(mode, every, min_weight, max_weight),
    )
