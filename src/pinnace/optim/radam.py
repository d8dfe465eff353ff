"""Adam with its variance rectified: Liu et al. 2020, arXiv 1908.03265."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from pinnace.optim.given import betas_of, number_of, rate_of, scaled
from pinnace.schedule import LearningRateSchedule

SERIES = (1 / 3, -1 / 45, 2 / 945, -1 / 4725, 2 / 93555, -1382 / 638512875, 4 / 18243225, -3617 / 162820783125)
"""coth y - 1 / y, divided by y, in powers of y^2: enough for float64 below SMALL."""
SMALL = 0.3

Number = float | Float[Array, ""]
WHO = "pn.optim.radam"


def radam(
    lr: Number | LearningRateSchedule | Callable[..., Any] = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: Number = 1e-8,
    weight_decay: Number = 0.0,
    grad_clip_norm: Number | None = None,
    grad_clip_value: Number | None = None,
    threshold: Number = 4.0,
) -> optax.GradientTransformationExtraArgs:
    """Adam that warms up by itself: no step is scaled by a variance of too few gradients.

    In this order: gradients are clipped to the global norm `grad_clip_norm`, then elementwise to
    `grad_clip_value`; `weight_decay` times the parameters is added (L2, so that it passes through the moments);
    then rectified Adam, then the rate. `lr`: a number, a schedule, also one with state, or a function of the count.
    `threshold`: steps are scaled by the variance where the length of its average is more than this; 4 as in the
    paper, 5 as in optax. An optax transformation: use it anywhere, and with `lr=1` under `.scale(...)`.

    Raises FieldError for numbers out of range and a rate that reads losses.

    Source: Liu et al. 2020, arXiv 1908.03265. The length is computed without the cancellation of the paper's
    formula, which in float32 takes 4.35 for 3.00 at the third step with a beta of 0.9999.

    >>> p = pn.parameter(1.0).optimizer(radam(1e-2, grad_clip_norm=1.0))
    >>> run = pn.core([(p - 3) ** 2]).solve(10)
    """
    first, second = betas_of(WHO, betas, (0.9, 0.999))
    parts = []
    if grad_clip_norm is not None:
        parts.append(optax.clip_by_global_norm(number_of(WHO, "grad_clip_norm", grad_clip_norm, above=0)))
    if grad_clip_value is not None:
        parts.append(optax.clip(number_of(WHO, "grad_clip_value", grad_clip_value, above=0)))
    decay = number_of(WHO, "weight_decay", weight_decay, least=0)
    if not isinstance(decay, float) or decay:
        parts.append(optax.add_decayed_weights(decay))
    parts.append(
        _rectified(first, second, number_of(WHO, "eps", eps, least=0), number_of(WHO, "threshold", threshold, least=4))
    )
    return optax.with_extra_args_support(optax.chain(*parts, scaled(rate_of(WHO, lr))))


def _rectified(b1: float, b2: float, eps: Any, threshold: Any) -> optax.GradientTransformation:
    longest = 2 / (1 - b2) - 1

    def init(params: Any) -> optax.ScaleByAdamState:
        zeros = optax.tree.zeros_like(params)
        return optax.ScaleByAdamState(count=jnp.zeros((), jnp.int32), mu=zeros, nu=zeros)

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, optax.ScaleByAdamState]:
        count: Any = optax.safe_increment(state.count)
        t = jnp.asarray(count, jnp.result_type(float))
        mu = optax.tree.update_moment(updates, state.mu, b1, 1)
        nu = optax.tree.update_moment_per_elem_norm(updates, state.nu, b2, 2)
        mean, square = _unbiased(mu, b1, t), _unbiased(nu, b2, t)
        if longest > 4:
            rho = _length(b2, t)
            enough = rho > threshold
            rho = jnp.where(enough, rho, longest)  # no root of a negative number, not even unused
            r = jnp.sqrt((rho - 4) * (rho - 2) / rho * (longest / (longest - 4) / (longest - 2)))
            mean = jax.tree.map(
                lambda m, v: jnp.where(enough, r.astype(v.dtype) * m / (jnp.sqrt(v) + eps), m), mean, square
            )
        return mean, optax.ScaleByAdamState(count=count, mu=mu, nu=nu)

    return optax.GradientTransformation(init, update)


def _length(b2: float, t: Array) -> Array:
    """rho_t, the length of the average of squares, without cancellation.

    rho_inf - 2 t b2^t / (1 - b2^t) = h(y1) + t (1 - h(t y1)), with y1 = -ln(b2) / 2 and h(y) = coth y - 1 / y; so
    h(y1) = rho_inf + 2 / ln b2.
    """
    y1 = -_log(b2) / 2
    h1 = _series(y1) if y1 < SMALL else 1 / math.tanh(y1) - 1 / y1
    y = t * y1
    small, large = jnp.minimum(y, SMALL), jnp.maximum(y, SMALL)
    return h1 + t * jnp.where(y < SMALL, 1 - _series(small), 1 / large - 2 / jnp.expm1(2 * large))


def _series(y: Any) -> Any:
    total = 0.0
    for coefficient in reversed(SERIES):
        total = total * y**2 + coefficient
    return total * y


def _unbiased(moments: Any, decay: float, t: Array) -> Any:
    """Over 1 - decay^t, which in float32 would be a difference of almost equal numbers."""
    share = -jnp.expm1(t * _log(decay))
    return jax.tree.map(lambda moment: moment / share.astype(moment.dtype), moments)


def _log(decay: float) -> float:
    return math.log(decay) if decay else -math.inf
