"""A line up to whatever comes after."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from pinnace.schedule._arguments import Arguments
from pinnace.schedule._join import moved_if
from pinnace.schedule._losses import LossValues
from pinnace.schedule._rule import Rule


class Warmup(Rule):
    """See `LearningRateSchedule.warmup`."""

    rule: Rule
    steps: int | Array
    start: float | Array

    @property
    def reads_losses(self) -> bool:
        return self.rule.reads_losses

    @property
    def has_state(self) -> bool:
        return self.rule.has_state

    def init(self) -> PyTree[Array]:
        return self.rule.init()

    def update(self, epoch: Int[Array, ""], losses: LossValues | None, state: PyTree) -> tuple[Any, PyTree]:
        since = epoch - self.steps
        lr, after = self.rule.update(jnp.maximum(since, 0), losses, state)
        rising = self.start + (lr - self.start) * epoch / jnp.maximum(self.steps, 1)
        return jnp.where(since < 0, rising, lr), moved_if(since >= 0, after, state)


def warmup(rule: Rule, steps: Any, start: Any) -> Warmup:
    """The checked rule."""
    given = Arguments("lrs.warmup")
    return Warmup(rule, given.whole("steps", steps, least=0), given.real("start", start))
