"""Several rates, one after the other."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PyTree

from pinnace._errors import ScheduleError
from pinnace.schedule._arguments import Arguments
from pinnace.schedule._losses import LossValues
from pinnace.schedule._rule import Rule


class Join(Rule):
    """See `LearningRateSchedule.join`."""

    parts: tuple[Rule, ...]
    boundaries: tuple[int | Array, ...]

    @property
    def reads_losses(self) -> bool:
        return any(part.reads_losses for part in self.parts)

    @property
    def has_state(self) -> bool:
        return any(part.has_state for part in self.parts)

    def init(self) -> PyTree[Array]:
        return tuple(part.init() for part in self.parts)

    def update(self, epoch: Int[Array, ""], losses: LossValues | None, state: PyTree) -> tuple[Any, PyTree]:
        starts = (0, *self.boundaries)
        over = (*(epoch >= boundary for boundary in self.boundaries), jnp.array(False))
        lr: Any = 0.0
        states = []
        for k, (part, start, before) in enumerate(zip(self.parts, starts, state, strict=True)):
            begun = over[k - 1] if k else jnp.array(True)
            value, after = part.update(jnp.maximum(epoch - start, 0), losses, before)
            lr = jnp.where(begun, value, lr)
            states.append(moved_if(begun & ~over[k], after, before))
        return lr, tuple(states)


def moved_if(on: Bool[Array, ""], after: PyTree, before: PyTree) -> PyTree:
    """The state of a rate, which moves only while the rate is on."""
    return jax.tree.map(lambda new, old: jnp.where(on, new, old), after, before)


def join(parts: Sequence[Rule], boundaries: Any, *, name: str = "lrs.join") -> Join:
    """The checked rule."""
    edges = Arguments(name).increasing("boundaries", boundaries, least=0)
    if len(parts) != len(edges) + 1:
        raise ScheduleError(
            f"{name} got {len(parts)} schedules and {len(edges)} boundaries, but there is one schedule before the "
            f"first boundary and one after each. Give {len(edges) + 1} schedules."
        )
    return Join(tuple(parts), edges)
