"""What the balancers that equalise gradients have in common: a moving average of clamped targets."""

from abc import abstractmethod
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace.balance._arguments import Arguments
from pinnace.balance._base import LossBalancer, Moment


class Averaged(LossBalancer):
    """A balancer whose weights follow a target, from 1: `w <- ema w + (1 - ema) clamp(target)`.

    Clamped before it enters: clamped only afterwards, one vanishing gradient would leave the largest weight for
    ever.
    """

    ema: float | Array

    @abstractmethod
    def target(self, now: Moment) -> Float[Array, " m"]:
        """The weights that this moment alone would give."""

    def move(self, now: Moment, memory: tuple[()]) -> tuple[Float[Array, " m"], tuple[()]]:
        return self.ema * now.weights + (1 - self.ema) * self.clamp(self.target(now)), memory


def averaged(
    given: Arguments, ema: float, mode: str, every: int, min_weight: float | None, max_weight: float | None
) -> dict[str, Any]:
    """The checked arguments that they share."""
    return {"ema": given.real("ema", ema, least=0, most=1), **given.common(mode, every, min_weight, max_weight)}


def inverse_shares(sizes: Float[Array, " m"]) -> Float[Array, " m"]:
    """How many times smaller each size is than their mean; equal ones give exactly 1.

    >>> inverse_shares(jnp.array([1.0, 3.0])).tolist()
    [2.0, 0.6666666865348816]
    """
    relative = sizes / jnp.max(sizes)
    # Sixty orders apart, the smaller one is no number beside the larger in float32.
    return jnp.mean(relative) / jnp.maximum(relative, jnp.finfo(relative.dtype).tiny)
