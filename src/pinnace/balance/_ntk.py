"""Weights from the neural tangent kernel: how fast each loss would fall by itself."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace.balance._arguments import Arguments
from pinnace.balance._averaged import Averaged, averaged, inverse_shares
from pinnace.balance._base import Moment
from pinnace.balance._formula import SMALLEST


class Ntk(Averaged):
    """See `ntk`."""

    reads = frozenset({"traces"})

    def target(self, now: Moment) -> Float[Array, " m"]:
        assert now.traces is not None
        return inverse_shares(jnp.maximum(now.traces, SMALLEST))


def ntk(
    ema: float = 0.9,
    *,
    mode: str = "raw",
    every: int = 100,
    min_weight: float | None = 1e-4,
    max_weight: float | None = 1e4,
) -> Ntk:
    """Weigh losses inversely to the traces of their neural tangent kernels, so that all fall equally fast.

    The target of weight i is `mean_j tr K_jj / tr K_ii`, with `tr K_ii` the mean over the residuals of loss
    i of the squared norm of their parameter gradients, as `ntk_trace` computes it (`update(...,
    traces=)`), not below 1e-30; the weights follow it by a moving average from 1. It has a meaning for
    losses that are means of squares. `ema`: share of the past, in [0, 1]. `every`: calls from one move to
    the next; traces matter only there. `min_weight`, `max_weight`: clamps, of a target before it enters the
    average. `mode` is taken as by all balancers, but nothing is seen of the losses, except that nothing
    moves where they are not finite. Raises BalanceError for numbers out of these ranges.

    Source: Wang, Yu & Perdikaris 2022, arXiv 2007.14527, algorithm 1; its sum of traces is a mean here, as
    is each trace over its points, so that losses with equal kernels have weight 1 whatever their points.

    >>> balancer = ntk(ema=0.0)
    >>> weights, state = balancer.update([0.5, 0.1], balancer.init(2), traces=[9.0, 1.0])
    >>> [round(float(w), 3) for w in weights]
    [0.556, 5.0]
    """
    return Ntk(**averaged(Arguments(ntk), ema, mode, every, min_weight, max_weight))
