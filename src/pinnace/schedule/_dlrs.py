"""The dynamic learning rate scheduler: down where the loss rises, up where it falls."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pinnace._errors import ScheduleError
from pinnace.schedule._arguments import Arguments, is_traced
from pinnace.schedule._learning_rate import LearningRateSchedule
from pinnace.schedule._losses import named
from pinnace.schedule._rule import Rule


class _Memory(NamedTuple):
    lr: Float[Array, ""]
    totals: Float[Array, " window"]
    seen: Int[Array, ""]


class Dlrs(Rule):
    """See `dlrs`."""

    lr0: float | Array
    decrease: float | Array
    increase: float | Array
    min_lr: float | Array
    max_lr: float | Array
    window: int = eqx.field(static=True)
    watch: str = eqx.field(static=True)

    @property
    def reads_losses(self) -> bool:
        return True

    @property
    def has_state(self) -> bool:
        return True

    def init(self) -> _Memory:
        dtype = jnp.result_type(float)
        return _Memory(jnp.asarray(self.lr0, dtype), jnp.zeros(self.window, dtype), jnp.zeros((), int))

    def update(self, epoch, losses, state: _Memory) -> tuple[Float[Array, ""], _Memory]:
        assert losses is not None
        total = jnp.asarray(named(losses, self.watch, f'watch="{self.watch}"'), state.totals.dtype)
        finite = jnp.isfinite(total)
        totals = jnp.where(finite, jnp.append(state.totals[1:], total), state.totals)
        seen = jnp.minimum(state.seen + finite, self.window)

        size = jnp.max(jnp.abs(totals))
        moves = finite & (seen == self.window) & (size > 0)
        # Divided by the largest first, so that no mean overflows.
        scaled = totals / jnp.where(size > 0, size, 1)
        trend = (scaled[-1] - scaled[0]) / jnp.where(moves, jnp.mean(jnp.abs(scaled)), 1)
        # The rate's power of ten; 1e-4 forgives a rate that is a power of ten but for rounding.
        power = jnp.floor(jnp.log10(state.lr) + 1e-4)
        by = jnp.power(jnp.full_like(power, 10), power) * jnp.where(trend > 0, self.decrease, self.increase)
        moved = jnp.clip(state.lr - by * trend / self.window, self.min_lr, self.max_lr)
        lr = jnp.where(moves, moved, state.lr)
        return lr, _Memory(lr, totals, seen)


def dlrs(
    lr0: float = 1e-3,
    window: int = 10,
    decrease: float = 1.0,
    increase: float = 0.1,
    min_lr: float | None = None,
    max_lr: float | None = None,
    *,
    watch: str = "total",
) -> LearningRateSchedule:
    """Lower the rate while the total loss rises, raise it while the loss falls.

    Over the last `window` finite totals, the change from first to last relative to their mean size decides:
    each step moves the rate by that change, times `decrease` or `increase`, times the rate's power of ten,
    divided by `window`. `lr0`: the rate until `window` totals are seen. `min_lr`, `max_lr`: bounds of the
    rate, `lr0 / 100` and `10 * lr0` by default. `watch`: another value than the total, a raw loss or a tracker by name.

    Raises ScheduleError for a window below 2, a rate or `min_lr` that is not positive, negative factors, and
    an `lr0` outside the bounds.

    Source: Dharanalakota et al. 2025, arXiv 2507.21749; there windows are disjoint epochs, here one slides,
    and counts each change `window` times: hence the division.

    >>> schedule = dlrs(lr0=1e-3, window=2)
    >>> _, state = schedule.update(0, [1.0], schedule.init())
    >>> lr, state = schedule.update(1, [3.0], state)
    >>> round(float(lr), 6)
    0.0005
    """
    given = Arguments("dlrs")
    first = given.real("lr0", lr0, above=0)
    low = first / 100 if min_lr is None else given.real("min_lr", min_lr, above=0)
    high = first * 10 if max_lr is None else given.real("max_lr", max_lr, above=0)
    given.bounds(low, high)
    if not any(map(is_traced, (low, first, high))) and not low <= first <= high:
        raise ScheduleError(
            f"dlrs got lr0 = {first:g}, which is not between min_lr = {low:g} and max_lr = {high:g}. "
            "Give bounds that hold the first rate."
        )
    return LearningRateSchedule(
        Dlrs(
            lr0=first,
            decrease=given.real("decrease", decrease, least=0),
            increase=given.real("increase", increase, least=0),
            min_lr=low,
            max_lr=high,
            window=_static("window", given, window),
            watch=given.name_of("watch", watch),
        )
    )


def _static(argument: str, given: Arguments, value: Any) -> int:
    """A number that decides a shape."""
    if is_traced(value):
        raise given.error(argument, value, "a Python number: it decides the size of arrays")
    return given.whole(argument, value, least=2)
