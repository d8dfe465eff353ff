"""Random loss weighting: a new Dirichlet draw at each move."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace.balance._arguments import Arguments
from pinnace.balance._base import LossBalancer, Moment
from pinnace.balance._formula import draw_key


class Rlw(LossBalancer):
    """See `rlw`."""

    alpha: float | Array
    seed: int | Array

    def move(self, now: Moment, memory: tuple[()]) -> tuple[Float[Array, " m"], tuple[()]]:
        m, dtype = now.losses.shape[0], now.losses.dtype
        concentration = jnp.full(m, self.alpha, dtype)
        return m * jax.random.dirichlet(draw_key(self.seed, now.t), concentration, dtype=dtype), memory


def rlw(
    alpha: float = 1.0,
    seed: int = 42,
    *,
    mode: str = "raw",
    every: int = 1,
    min_weight: float | None = None,
    max_weight: float | None = None,
) -> Rlw:
    """Weigh losses at random: the regularisation of the noise, without a view of the losses.

    `alpha`: concentration of the Dirichlet distribution, above 0; 1 is uniform, large ones bring all
    weights to 1. `seed` of the draws. `every`: calls from one draw to the next. `mode` is taken as by all
    balancers, but nothing is seen of the losses, except that nothing is drawn where they are not finite.
    `min_weight`, `max_weight`: clamps. Weights sum to m before clamps. Raises BalanceError for numbers out
    of these ranges.

    Source: Lin et al. 2021, arXiv 2111.10603.

    >>> balancer = rlw(seed=7)
    >>> weights, state = balancer.update([1.0, 1.0, 1.0], balancer.init(3))
    >>> round(float(weights.sum()), 5)
    3.0
    """
    given = Arguments(rlw)
    return Rlw(
        alpha=given.real("alpha", alpha, above=0),
        seed=given.whole("seed", seed, least=0),
        **given.common(mode, every, min_weight, max_weight),
    )
