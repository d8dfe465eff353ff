"""The same rate at every step."""

from typing import Any

from jaxtyping import Array

from pinnace.schedule._arguments import Arguments
from pinnace.schedule._rule import Curve


class Constant(Curve):
    """See `LearningRateSchedule.constant`."""

    lr: float | Array

    def at(self, t):
        return self.lr


def constant(lr: Any, *, name: str = "lrs.constant") -> Constant:
    """The checked rule."""
    return Constant(Arguments(name).real("lr", lr))
