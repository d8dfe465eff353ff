"""Constant rates that change at given epochs."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from pinnace._errors import ScheduleError
from pinnace.schedule._arguments import Arguments
from pinnace.schedule._rule import Curve


class PiecewiseConstant(Curve):
    """See `LearningRateSchedule.piecewise_constant`."""

    boundaries: tuple[int | Array, ...]
    values: tuple[float | Array, ...]

    def at(self, t):
        passed = sum((jnp.asarray(t >= b, int) for b in self.boundaries), jnp.zeros((), int))
        return jnp.stack([jnp.asarray(value, jnp.result_type(float)) for value in self.values])[passed]


def piecewise_constant(boundaries: Any, values: Any) -> PiecewiseConstant:
    """The checked rule."""
    given = Arguments("lrs.piecewise_constant")
    edges = given.increasing("boundaries", boundaries)
    levels = tuple(given.real(f"values[{i}]", v) for i, v in enumerate(given.several("values", values)))
    if len(levels) != len(edges) + 1:
        raise ScheduleError(
            f"lrs.piecewise_constant got {len(edges)} boundaries and {len(levels)} values, but there is one "
            f"value before the first boundary and one after each. Give {len(edges) + 1} values."
        )
    return PiecewiseConstant(edges, levels)
