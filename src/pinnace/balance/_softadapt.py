"""SoftAdapt: weights from the last change of each loss."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace.balance._arguments import Arguments
from pinnace.balance._base import LossBalancer, Moment
from pinnace.balance._formula import SMALLEST, below_largest, share

VARIANTS = ("original", "normalized", "loss_weighted")


class Softadapt(LossBalancer):
    """See `softadapt`."""

    beta: float | Array
    eps: float | Array
    variant: str = eqx.field(static=True)

    def memory_before(self, m, dtype) -> Float[Array, " m"]:
        return jnp.zeros(m, dtype)

    def move(self, now: Moment, memory: Float[Array, " m"]) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
        slopes = now.losses - memory
        if self.variant == "normalized":
            slopes = slopes / (jnp.sum(jnp.abs(slopes)) + self.eps)
        scores = self.beta * below_largest(slopes)
        if self.variant == "loss_weighted":
            scores = scores + jnp.log(jnp.maximum(jnp.abs(now.losses), SMALLEST))
        return jnp.where(now.t == 0, 1, share(scores)), now.losses


def softadapt(
    beta: float = 0.1,
    variant: str = "normalized",
    *,
    eps: float = 1e-12,
    mode: str = "raw",
    every: int = 1,
    min_weight: float | None = None,
    max_weight: float | None = None,
) -> Softadapt:
    """Weigh losses by the softmax of their last change: what falls fastest counts least.

    `beta`: sharpness; a negative one favours what falls fastest. `variant`: "original" takes changes as
    they are, "normalized" relative to the sum of their magnitudes (plus `eps`, above 0), "loss_weighted"
    multiplies by the losses. `mode`: "raw", "minmax" or "l2". `every`: calls from one move to the next.
    `min_weight`, `max_weight`: clamps. Weights sum to m before clamps. Raises BalanceError for other kinds
    and numbers.

    Source: Heydari, Thompson & Mehmood 2019, arXiv 1912.12355.

    >>> balancer = softadapt(beta=1.0)
    >>> _, state = balancer.update([1.0, 1.0], balancer.init(2))
    >>> weights, state = balancer.update([1.0, 0.5], state)
    >>> [round(float(w), 3) for w in weights]
    [1.462, 0.538]
    """
    given = Arguments(softadapt)
    return Softadapt(
        beta=given.real("beta", beta),
        eps=given.real("eps", eps, above=0),
        variant=given.kind("variant", variant, VARIANTS),
        **given.common(mode, every, min_weight, max_weight),
    )
