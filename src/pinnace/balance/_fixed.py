"""Weights that stay as they are given."""

from jaxtyping import Array, Float

from pinnace.balance._arguments import Arguments
from pinnace.balance._base import LossBalancer, Moment
from pinnace.balance._losses import Numbers, PerLoss, spread


class Fixed(LossBalancer):
    """See `fixed`."""

    weights: PerLoss

    @property
    def restless(self) -> bool:
        return False

    def per_loss(self) -> dict[str, PerLoss]:
        return {"weights": self.weights}

    def weights_before(self, m, dtype) -> Float[Array, " m"]:
        return self.clamp(spread(self.weights, m, dtype)).astype(dtype)

    def move(self, now: Moment, memory: tuple[()]) -> tuple[Float[Array, " m"], tuple[()]]:
        return spread(self.weights, now.losses.shape[0], now.losses.dtype), memory


def fixed(
    weights: Numbers,
    *,
    mode: str = "raw",
    every: int = 1,
    min_weight: float | None = None,
    max_weight: float | None = None,
) -> Fixed:
    """Constant weights: the baseline of every comparison.

    `weights`: at least 0; a number, or one a loss in a list or dict. `mode` and `every` are taken as by all
    balancers, and change nothing. `min_weight`, `max_weight`: clamps. Raises BalanceError for other
    numbers, and in `init` for another number of losses.

    >>> balancer = fixed({"pde": 1.0, "bc": 100.0})
    >>> losses = {"pde": 0.3, "bc": 0.1}
    >>> weights, state = balancer.update(losses, balancer.init(losses))
    >>> {name: float(w) for name, w in weights.items()}
    {'pde': 1.0, 'bc': 100.0}
    """
    given = Arguments(fixed)
    return Fixed(
        weights=given.per_loss("weights", weights, least=0),
        **given.common(mode, every, min_weight, max_weight),
    )
