"""What optimizers are given: numbers that are checked, and a rate that may have state."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer
from jaxtyping import Array, Int, PyTree

from pinnace._errors import FieldError
from pinnace.schedule import LearningRateSchedule


class RateState(NamedTuple):
    """How many updates came before, and the state of the rate."""

    count: Int[Array, ""]
    rate: PyTree


def rate_of(who: str, lr: Any) -> LearningRateSchedule:
    """A number, a schedule or a function of the count as a schedule. Raises FieldError for one that reads losses.

    >>> rate_of("pn.optim.radam", 1e-3).reads_losses
    False
    """
    rate = lr if isinstance(lr, LearningRateSchedule) else LearningRateSchedule(lr)
    if rate.reads_losses:
        raise FieldError(
            f"{who} got a rate that reads losses, and an optax transformation has none to give. Write "
            f"net.optimizer({who}(1)).scale(schedule)."
        )
    return rate


def scaled(rate: LearningRateSchedule) -> optax.GradientTransformation:
    """Minus the rate, as `optax.scale_by_learning_rate`; the rate may have state.

    >>> tx = scaled(rate_of("pn.optim.radam", 0.5))
    >>> float(tx.update(2.0, tx.init(0.0))[0])
    -1.0
    """

    def init(params: Any) -> RateState:
        return RateState(jnp.zeros((), jnp.int32), rate.init())

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, RateState]:
        lr, after = rate.update(state.count, None, state.rate)
        moved = jax.tree.map(lambda u: -lr.astype(jnp.result_type(u)) * u, updates)
        count: Any = optax.safe_increment(state.count)
        return moved, RateState(count, after)

    return optax.GradientTransformation(init, update)


def betas_of(who: str, betas: Any, usual: tuple[float, float]) -> tuple[float, float]:
    """Two decays. Raises FieldError for anything else.

    >>> betas_of("pn.optim.radam", [0.9, 0], (0.9, 0.999))
    (0.9, 0.0)
    """
    match betas:
        case [float() | int(), float() | int()] if all(0 <= beta < 1 for beta in betas):
            return float(betas[0]), float(betas[1])
    raise FieldError(f"{who} got betas = {betas!r}; it takes two numbers from 0 to below 1, {usual}.")


def number_of(who: str, argument: str, value: Any, *, least: float = -math.inf, above: float = -math.inf) -> Any:
    """A checked number; traced ones, of a hyperparameter that is an array, pass unchecked. Raises FieldError.

    >>> number_of("pn.optim.radam", "eps", 1, least=0)
    1.0
    """
    if isinstance(value, Tracer):
        return value
    real = isinstance(value, int | float | np.number | np.ndarray | jax.Array) and not isinstance(value, bool)
    if real and np.shape(value) == () and math.isfinite(value) and least <= value and above < value:
        return float(value) if isinstance(value, int | float) else value
    bound = f"at least {least:g}" if math.isfinite(least) else f"above {above:g}"
    raise FieldError(f"{who} got {argument} = {value!r}; {argument} is a finite number {bound}.")
