"""GradNorm: weights that are learned, so that the gradients' norms follow how far each loss has come."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace.balance._adam import Adam, adam_start, adam_step
from pinnace.balance._arguments import Arguments
from pinnace.balance._base import LossBalancer, Moment
from pinnace.balance._formula import quotient
from pinnace.balance._measured import norms


class _Memory(NamedTuple):
    first: Float[Array, " m"]
    adam: Adam


class Gradnorm(LossBalancer):
    """See `gradnorm`."""

    alpha: float | Array
    lr: float | Array

    reads = frozenset({"grads"})

    def memory_before(self, m, dtype) -> _Memory:
        return _Memory(jnp.ones(m, dtype), adam_start(jnp.zeros(m, dtype)))

    def move(self, now: Moment, memory: _Memory) -> tuple[Float[Array, " m"], _Memory]:
        assert now.grads is not None
        first = jnp.where(now.t == 0, now.losses, memory.first)
        lengths = norms(now.grads, now.losses.dtype)
        pulls = now.weights * lengths
        targets = jnp.mean(pulls) * inverse_rates(quotient(now.losses, first)) ** self.alpha
        direction, adam = adam_step(lengths * jnp.sign(pulls - targets), memory.adam)
        weights = jnp.maximum(now.weights - self.lr * direction, 0 if self.min_weight is None else self.min_weight)
        total = jnp.sum(weights)
        weights = jnp.where(total > 0, weights.shape[0] * (weights / jnp.where(total > 0, total, 1)), 1)
        return weights, _Memory(first, adam)


def inverse_rates(remaining: Float[Array, " m"]) -> Float[Array, " m"]:
    """The relative inverse training rates: what remains of each loss over the mean of what remains.

    >>> inverse_rates(jnp.array([0.5, 1.5])).tolist()
    [0.5, 1.5]
    """
    mean = jnp.mean(remaining)
    return jnp.where(mean > 0, remaining / jnp.where(mean > 0, mean, 1), 1)


def gradnorm(
    alpha: float = 1.5,
    lr: float = 0.025,
    *,
    mode: str = "raw",
    every: int = 1,
    min_weight: float | None = 1e-4,
    max_weight: float | None = 1e4,
) -> Gradnorm:
    """Learn weights such that losses that have come less far pull harder.

    Each move is one Adam step (0.9, 0.999, 1e-8) of rate `lr` down `sum_i abs(w_i ||g_i|| - mean_j(w_j
    ||g_j||) r_i^alpha)` in w, from 1, with the targets held: g_i the gradient of raw loss i (`update(...,
    grads=)`), norms not below 1e-30, and `r_i = q_i / mean_j q_j`, q_i the loss over its value at the first
    move, r_i = 1 where every q is 0. Then the weights are held at `min_weight` (0 for None) and renormalised
    to sum m; the clamps, `max_weight` too, come after. `alpha`: at least 0; 0 makes all pulls equal, large
    ones favour the slowest loss. `mode`: "raw", "minmax" or "l2", how the losses in r_i are seen. `every`:
    calls from one move to the next. Raises BalanceError for numbers out of these ranges.

    Source: Chen, Badrinarayanan, Lee & Rabinovich 2018, arXiv 1711.02257, with the gradients of all trained
    parameters in place of those of the last shared layer.

    >>> balancer = gradnorm()
    >>> grads = [{"w": 3.0}, {"w": 1.0}]
    >>> weights, state = balancer.update([0.5, 0.1], balancer.init(2), grads=grads)
    >>> [round(float(w), 3) for w in weights]
    [0.975, 1.025]
    """
    given = Arguments(gradnorm)
    return Gradnorm(
        alpha=given.real("alpha", alpha, least=0),
        lr=given.real("lr", lr, least=0),
        **given.common(mode, every, min_weight, max_weight),
    )
