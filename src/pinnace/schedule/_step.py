"""A rate that is multiplied by a factor every so many steps."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from pinnace.schedule._arguments import Arguments
from pinnace.schedule._rule import Curve


class Step(Curve):
    """See `LearningRateSchedule.step`."""

    lr0: float | Array
    step_size: int | Array
    gamma: float | Array

    def at(self, t):
        return self.lr0 * jnp.power(jnp.asarray(self.gamma, jnp.result_type(float)), t // self.step_size)


def step(lr0: Any, step_size: Any, gamma: Any, *, name: str = "lrs.step", first: str = "lr0") -> Step:
    """The checked rule."""
    given = Arguments(name)
    return Step(
        lr0=given.real(first, lr0),
        step_size=given.whole("step_size", step_size, least=1),
        gamma=given.real("gamma", gamma, least=0),
    )
