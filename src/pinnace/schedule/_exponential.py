"""Decay, or growth, by a constant factor every so many steps."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from pinnace.schedule._arguments import Arguments
from pinnace.schedule._rule import Curve


class Exponential(Curve):
    """See `LearningRateSchedule.exponential`."""

    lr0: float | Array
    decay_rate: float | Array
    decay_steps: float | Array
    lr_end: float | Array | None
    transition_begin: int | Array
    staircase: bool = eqx.field(static=True)

    def at(self, t):
        since = jnp.maximum(t - self.transition_begin, 0)
        # Never floor(since / steps): XLA multiplies by the reciprocal, and is one late at 41, 49, ...
        passed = since // self.decay_steps if self.staircase else since / self.decay_steps
        lr = self.lr0 * jnp.power(jnp.asarray(self.decay_rate, jnp.result_type(float)), passed)
        if self.lr_end is None:
            return lr
        bounded = jnp.where(self.decay_rate < 1, jnp.maximum(lr, self.lr_end), jnp.minimum(lr, self.lr_end))
        return jnp.where(self.decay_rate == 1, lr, bounded)


def exponential(
    lr0: Any, decay_rate: Any, decay_steps: Any, lr_end: Any, staircase: Any, transition_begin: Any
) -> Exponential:
    """The checked rule."""
    given = Arguments("lrs.exponential")
    stairs = given.flag("staircase", staircase)
    steps = given.whole("decay_steps", decay_steps, least=1) if stairs else decay_steps
    return Exponential(
        lr0=given.real("lr0", lr0),
        decay_rate=given.real("decay_rate", decay_rate, above=0),
        decay_steps=steps if stairs else given.real("decay_steps", steps, above=0),
        lr_end=None if lr_end is None else given.real("lr_end", lr_end),
        transition_begin=given.whole("transition_begin", transition_begin, least=0),
        staircase=stairs,
    )
