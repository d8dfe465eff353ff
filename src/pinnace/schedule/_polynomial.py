"""A power of the share of steps that is left."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from pinnace.schedule._arguments import Arguments
from pinnace.schedule._linear import share_left
from pinnace.schedule._rule import Curve


class Polynomial(Curve):
    """See `LearningRateSchedule.polynomial`."""

    lr0: float | Array
    lr_end: float | Array
    power: float | Array
    transition_steps: int | Array
    transition_begin: int | Array

    def at(self, t):
        left = share_left(t, self.transition_begin, self.transition_steps)
        return self.lr_end + (self.lr0 - self.lr_end) * jnp.power(left, self.power)


def polynomial(lr0: Any, lr_end: Any, power: Any, transition_steps: Any, transition_begin: Any) -> Polynomial:
    """The checked rule."""
    given = Arguments("lrs.polynomial")
    return Polynomial(
        lr0=given.real("lr0", lr0),
        lr_end=given.real("lr_end", lr_end),
        power=given.real("power", power, above=0),
        transition_steps=given.whole("transition_steps", transition_steps, least=1),
        transition_begin=given.whole("transition_begin", transition_begin, least=0),
    )
