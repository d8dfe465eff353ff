"""Weights that make the gradients of all weighted losses equally long."""

from jaxtyping import Array, Float

from pinnace.balance._arguments import Arguments
from pinnace.balance._averaged import Averaged, averaged, inverse_shares
from pinnace.balance._base import Moment
from pinnace.balance._measured import norms


class GradNorm(Averaged):
    """See `grad_norm`."""

    reads = frozenset({"grads"})

    def target(self, now: Moment) -> Float[Array, " m"]:
        assert now.grads is not None
        return inverse_shares(norms(now.grads, now.losses.dtype))


def grad_norm(
    ema: float = 0.9,
    *,
    mode: str = "raw",
    every: int = 100,
    min_weight: float | None = 1e-4,
    max_weight: float | None = 1e4,
) -> GradNorm:
    """Weigh losses inversely to the norms of their gradients, so that all pull equally hard.

    The target of weight i is `mean_j ||g_j|| / ||g_i||`, g_i the gradient of raw loss i (`update(...,
    grads=)`), norms not below 1e-30; the weights follow it by a moving average from 1. `ema`: share of the
    past, in [0, 1]. `every`: calls from one move to the next; gradients matter only there. `min_weight`,
    `max_weight`: clamps, of a target before it enters the average. `mode` is taken as by all balancers, but
    nothing is seen of the losses, except that nothing moves where they are not finite. The weights are not
    renormalised. Raises BalanceError for numbers out of these ranges.

    Source: Wang, Sankaran, Wang & Perdikaris 2023, arXiv 2308.08468, algorithm 1; its sum of norms is a mean
    here, so that losses with equal gradients have weight 1.

    >>> balancer = grad_norm(ema=0.0)
    >>> grads = [{"w": 3.0}, {"w": 1.0}]
    >>> weights, state = balancer.update([0.5, 0.1], balancer.init(2), grads=grads)
    >>> [round(float(w), 3) for w in weights]
    [0.667, 2.0]
    """
    return GradNorm(**averaged(Arguments(grad_norm), ema, mode, every, min_weight, max_weight))
