"""Weights that make the weighted losses equal: once, gradually, or once and then gradually."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace._errors import BalanceError
from pinnace.balance._arguments import Arguments
from pinnace.balance._base import LossBalancer, Moment
from pinnace.balance._losses import Numbers, PerLoss, spread


class _Equaliser(LossBalancer):
    initial_weights: PerLoss
    eps: float | Array

    def per_loss(self) -> dict[str, PerLoss]:
        return {"initial_weights": self.initial_weights}

    def weights_before(self, m, dtype) -> Float[Array, " m"]:
        return spread(self.initial_weights, m, dtype)

    def equalised(self, sizes: Float[Array, " m"], normalize: bool) -> Float[Array, " m"]:
        """Weights inverse to the sizes; where nothing is to equalise, the mean of the initial ones."""
        usual = jnp.mean(spread(self.initial_weights, sizes.shape[0], sizes.dtype))
        live = sizes > self.eps
        divisors = jnp.where(live, sizes + self.eps, jnp.inf)
        if not normalize:
            return jnp.where(live, 1 / divisors, usual)
        # Relative to the smallest, since the inverse of a large loss is no number in float32.
        smallest = jnp.min(divisors)
        inverses = jnp.where(live, jnp.where(live, smallest, 1) / divisors, 0)
        mean = jnp.sum(inverses) / jnp.maximum(jnp.sum(live), 1)
        return jnp.where(live, usual * inverses / jnp.where(mean > 0, mean, 1), usual)


class EqualInit(_Equaliser):
    """See `equal_init`."""

    normalize: bool = eqx.field(static=True)

    @property
    def restless(self) -> bool:
        return False

    def move(self, now: Moment, memory: tuple[()]) -> tuple[Float[Array, " m"], tuple[()]]:
        equal = self.equalised(jnp.abs(now.losses), self.normalize)
        return jnp.where(now.t == 0, equal, now.weights), memory


class Ema(_Equaliser):
    """See `ema`."""

    alpha: float | Array
    beta: float | Array

    def memory_before(self, m, dtype) -> Float[Array, " m"]:
        return jnp.zeros(m, dtype)

    def averaged(self, now: Moment, average: Float[Array, " m"]) -> Float[Array, " m"]:
        """Moving average of the magnitudes of the losses, from the first ones."""
        size = jnp.abs(now.losses)
        return jnp.where(now.t == 0, size, self.alpha * average + (1 - self.alpha) * size)

    def move(self, now: Moment, memory: Float[Array, " m"]) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
        average = self.averaged(now, memory)
        return self.beta * now.weights + (1 - self.beta) / (average + self.eps), average


class EqualInitEma(Ema):
    """See `equal_init_ema`."""

    normalize: bool = eqx.field(static=True)

    def move(self, now: Moment, memory: Float[Array, " m"]) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
        average = self.averaged(now, memory)
        equal = self.equalised(average, self.normalize)
        followed = self.beta * now.weights + (1 - self.beta) * equal
        return jnp.where(now.t == 0, equal, followed), average


def _start(given: Arguments, initial_weights: Numbers, eps: float) -> dict[str, Any]:
    return {
        "initial_weights": given.per_loss("initial_weights", initial_weights, least=0),
        "eps": given.real("eps", eps, least=0),
    }


def _no_minmax(given: Arguments, mode: str) -> None:
    if mode == "minmax":
        raise BalanceError(
            f'{given.factory.__name__} got mode = "minmax", but it equalises the first losses, '
            'and "minmax" shows 1 for each of these. Use "raw" or "l2".'
        )


def equal_init(
    initial_weights: Numbers = 1.0,
    eps: float = 1e-8,
    min_weight: float | None = 1e-4,
    max_weight: float | None = 1e4,
    normalize: bool = True,
    *,
    mode: str = "raw",
    every: int = 1,
) -> EqualInit:
    """Make all weighted losses equal at the first move, then keep the weights.

    `initial_weights`: at least 0, a number, or one a loss in a list or dict; they hold before the first
    move, and with `normalize` their mean is kept. `eps`: added to the losses; one that is not larger (in
    magnitude) takes no part and gets the mean of the initial weights. `min_weight`, `max_weight`: clamps.
    `normalize=False`: weights `1 / (L + eps)`. `mode`: "raw" or "l2". `every`: calls from one try to the
    next while losses are not finite. Raises BalanceError for other kinds and numbers, and in `init` for
    another number of losses.

    Source: the strategy "equal initialisation" of adaptive loss weighting in PINN practice.

    >>> balancer = equal_init(normalize=False)
    >>> weights, state = balancer.update([1.234e-3, 5.678e-2, 2.345e-3, 1.234e-1], balancer.init(4))
    >>> [f"{w:.4g}" for w in weights]
    ['810.4', '17.61', '426.4', '8.104']
    """
    given = Arguments(equal_init)
    _no_minmax(given, mode)
    return EqualInit(
        normalize=given.flag("normalize", normalize),
        **_start(given, initial_weights, eps),
        **given.common(mode, every, min_weight, max_weight),
    )


def ema(
    alpha: float = 0.9,
    beta: float = 0.9,
    initial_weights: Numbers = 1.0,
    eps: float = 1e-8,
    min_weight: float | None = 1e-4,
    max_weight: float | None = 1e4,
    *,
    mode: str = "raw",
    every: int = 1,
) -> Ema:
    """Let each weight follow the inverse of its loss's moving average.

    `alpha`: share of the past in the average of the losses' magnitudes, `beta`: in the weights, both in [0,
    1]. `initial_weights`: where the weights start, at least 0; a number, or one a loss in a list or dict.
    `eps`: added to the average. `min_weight`, `max_weight`: clamps. `mode`: "raw", "minmax" or "l2".
    `every`: calls from one move to the next. Raises BalanceError for other kinds and numbers, and in `init`
    for another number of losses.

    Source: the strategy "EMA" of adaptive loss weighting in PINN practice.

    >>> balancer = ema()
    >>> weights, state = balancer.update([0.1, 1.0], balancer.init(2))
    >>> [round(float(w), 3) for w in weights]
    [1.9, 1.0]
    """
    given = Arguments(ema)
    return Ema(
        alpha=given.real("alpha", alpha, least=0, most=1),
        beta=given.real("beta", beta, least=0, most=1),
        **_start(given, initial_weights, eps),
        **given.common(mode, every, min_weight, max_weight),
    )


def equal_init_ema(
    alpha: float = 0.9,
    beta: float = 0.9,
    initial_weights: Numbers = 1.0,
    eps: float = 1e-8,
    min_weight: float | None = 1e-4,
    max_weight: float | None = 1e4,
    normalize: bool = True,
    *,
    mode: str = "raw",
    every: int = 1,
) -> EqualInitEma:
    """Make all weighted losses equal at the first move, and keep them about equal from then on.

    Arguments as of `equal_init` and `ema`: the weights start at those of `equal_init` and then follow those
    that `equal_init` would give for the losses' moving average. `mode`: "raw" or "l2". Raises BalanceError
    for other kinds and numbers, and in `init` for another number of losses.

    Source: the strategy "equal initialisation and EMA" of adaptive loss weighting in PINN practice.

    >>> balancer = equal_init_ema(beta=0.0, alpha=0.0)
    >>> _, state = balancer.update([1.0, 1.0], balancer.init(2))
    >>> weights, state = balancer.update([1.0, 3.0], state)
    >>> [round(float(w), 3) for w in weights]
    [1.5, 0.5]
    """
    given = Arguments(equal_init_ema)
    _no_minmax(given, mode)
    return EqualInitEma(
        alpha=given.real("alpha", alpha, least=0, most=1),
        beta=given.real("beta", beta, least=0, most=1),
        normalize=given.flag("normalize", normalize),
        **_start(given, initial_weights, eps),
        **given.common(mode, every, min_weight, max_weight),
    )
