"""A power of the share of steps that is left."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from pinnace.schedule._arguments import Arguments
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


def share_left(t: Any, begin: Any, steps: Any) -> Any:
    """Of a transition, what is still to come: from 1 to exactly 0."""
    # The difference first: XLA multiplies by the reciprocal, and 1 - steps / steps would be no zero.
    return (steps - jnp.clip(t - begin, 0, steps)) / steps


def polynomial(
    lr0: Any, lr_end: Any, power: Any, transition_steps: Any, transition_begin: Any, name: str = "lrs.polynomial"
) -> Polynomial:
    """The checked rule; a line has power 1."""
    given = Arguments(name)
    return Polynomial(
        lr0=given.real("lr0", lr0),
        lr_end=given.real("lr_end", lr_end),
        power=given.real("power", power, above=0),
        transition_steps=given.whole("transition_steps", transition_steps, least=1),
        transition_begin=given.whole("transition_begin", transition_begin, least=0),
    )
