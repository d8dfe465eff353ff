"""Half a cosine from the first rate to the last, with or without a linear start."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from pinnace._errors import ScheduleError
from pinnace.schedule._arguments import Arguments, is_traced
from pinnace.schedule._rule import Curve


class Cosine(Curve):
    """See `LearningRateSchedule.cosine`."""

    total_steps: int | Array
    lr0: float | Array
    lr_end: float | Array

    def at(self, t):
        return half_cosine(t, self.total_steps, self.lr0, self.lr_end)


class WarmupCosine(Curve):
    """See `LearningRateSchedule.warmup_cosine`."""

    total_steps: int | Array
    warmup_steps: int | Array
    lr0: float | Array
    lr_end: float | Array

    def at(self, t):
        since, remaining = t - self.warmup_steps, self.total_steps - self.warmup_steps
        rising = self.lr0 * t / jnp.maximum(self.warmup_steps, 1)
        return jnp.where(since < 0, rising, half_cosine(since, remaining, self.lr0, self.lr_end))


def half_cosine(t: Any, steps: Any, first: Any, last: Any) -> Any:
    """From the first rate at 0 to the last at `steps`, and on."""
    return last + (first - last) * (1 + jnp.cos(jnp.pi * jnp.minimum(t, steps) / steps)) / 2


def cosine(total_steps: Any, lr0: Any, lr_end: Any) -> Cosine:
    """The checked rule."""
    given = Arguments("lrs.cosine")
    return Cosine(
        total_steps=given.whole("total_steps", total_steps, least=1),
        lr0=given.real("lr0", lr0),
        lr_end=given.real("lr_end", lr_end),
    )


def warmup_cosine(
    total_steps: Any,
    warmup_steps: Any,
    lr0: Any,
    lr_end: Any,
    *,
    name: str = "lrs.warmup_cosine",
    counted: str = "total_steps",
    first: str = "lr0",
) -> WarmupCosine:
    """The checked rule; `counted` and `first` are what its users call the steps and the rate."""
    given = Arguments(name)
    total = given.whole(counted, total_steps, least=1)
    warmup = given.whole("warmup_steps", warmup_steps, least=0)
    if not is_traced(total) and not is_traced(warmup) and warmup >= total:
        raise ScheduleError(
            f"{name} got warmup_steps = {warmup} and {counted} = {total}, but {counted} "
            "counts the warm-up too, so that no step is left for the cosine. Give fewer warmup_steps."
        )
    return WarmupCosine(total, warmup, given.real(first, lr0), given.real("lr_end", lr_end))
