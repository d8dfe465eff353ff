"""Learned log-variances, one a loss, each moved by Adam."""

from typing import NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from pinnace.balance._arguments import Arguments
from pinnace.balance._base import LossBalancer, Moment
from pinnace.balance._losses import Numbers, PerLoss, spread

LARGEST_S = 20.0
STEEPEST = -1e3

_adam = optax.scale_by_adam(b1=0.9, b2=0.999, eps=1e-8)


class _Memory(NamedTuple):
    s: Float[Array, " m"]
    adam: PyTree[Array]


class Lbpinns(LossBalancer):
    """See `lbpinns_loss_balancing`."""

    init_s: PerLoss
    lr_s: float | Array

    def per_loss(self) -> dict[str, PerLoss]:
        return {"init_s": self.init_s}

    def weights_before(self, m, dtype) -> Float[Array, " m"]:
        return jnp.exp(-spread(self.init_s, m, dtype)) / 2

    def memory_before(self, m, dtype) -> _Memory:
        s = spread(self.init_s, m, dtype)
        return _Memory(s, _adam.init(s))

    def move(self, now: Moment, memory: _Memory) -> tuple[Float[Array, " m"], _Memory]:
        # The floor keeps an exploding loss out of Adam's second moment, where it stays thousands of moves.
        slope = jnp.maximum((1 - jnp.exp(-memory.s) * jnp.abs(now.losses)) / 2, STEEPEST)
        direction, adam = _adam.update(slope, memory.adam)
        s = jnp.clip(memory.s - self.lr_s * jnp.asarray(direction), -LARGEST_S, LARGEST_S)
        return jnp.exp(-s) / 2, _Memory(s, adam)


def lbpinns_loss_balancing(
    init_s: Numbers = 0.0,
    lr_s: float = 1e-2,
    *,
    mode: str = "raw",
    every: int = 1,
    min_weight: float | None = None,
    max_weight: float | None = None,
) -> Lbpinns:
    """Weigh losses by the inverse of a learned variance: the maximum of a Gaussian likelihood.

    Minimises `sum_j exp(-s_j) L_j / 2 + s_j / 2` in the log-variances s, one Adam step a move. `init_s`:
    where s starts, from -20 to 20; a number, or one a loss in a list or dict. `lr_s`: Adam's rate. `mode`:
    "raw", "minmax" or "l2". `every`: calls from one move to the next. `min_weight`, `max_weight`: clamps.
    Raises BalanceError for numbers out of these ranges.

    Source: Kendall, Gal & Cipolla 2018, arXiv 1705.07115; Xiang et al. 2022, arXiv 2104.06217.

    >>> balancer = lbpinns_loss_balancing()
    >>> weights, state = balancer.update([0.1, 10.0], balancer.init(2))
    >>> [round(float(w), 4) for w in weights]
    [0.505, 0.495]
    """
    given = Arguments(lbpinns_loss_balancing)
    return Lbpinns(
        init_s=given.per_loss("init_s", init_s, least=-LARGEST_S, most=LARGEST_S),
        lr_s=given.real("lr_s", lr_s, least=0),
        **given.common(mode, every, min_weight, max_weight),
    )
