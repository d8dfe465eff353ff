"""A function that looks at chosen losses and trackers only."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from pinnace._errors import ScheduleError
from pinnace.schedule._arguments import Arguments
from pinnace.schedule._function import Function
from pinnace.schedule._losses import LossValues, named
from pinnace.schedule._rule import Rule


class Watched(Rule):
    """The function sees the last finite value of each name, so that a tracker may be computed now and then."""

    rule: Function
    names: tuple[str, ...] = eqx.field(static=True)

    @property
    def reads_losses(self) -> bool:
        return True

    @property
    def has_state(self) -> bool:
        return self.rule.has_state

    def init(self) -> tuple[Array, PyTree[Array]]:
        return jnp.full(len(self.names), jnp.nan, jnp.result_type(float)), self.rule.init()

    def update(self, epoch: Int[Array, ""], losses: LossValues | None, state: PyTree) -> tuple[Any, PyTree]:
        assert losses is not None
        last, inner = state
        now = jnp.stack([jnp.asarray(named(losses, name, f'watch="{name}"'), last.dtype) for name in self.names])
        seen = jnp.where(jnp.isfinite(now), now, last)
        shown = LossValues(seen, dict(zip(self.names, seen, strict=True)), jnp.sum(seen))
        lr, inner = self.rule.update(epoch, shown, inner)
        return lr, (seen, inner)


def watched(rule: Rule, watch: Any) -> Watched:
    """The checked rule."""
    given = Arguments("lrs")
    listed = [watch] if isinstance(watch, str) else given.several("watch", watch, "names of losses and trackers")
    names = tuple(given.name_of("watch", name) for name in listed)
    if not names or len(set(names)) < len(names):
        raise given.error("watch", watch, "a list of different names, at least one")
    if not isinstance(rule, Function) or not rule.reads_losses:
        raise ScheduleError(
            f"lrs got watch = {watch!r}, which chooses what a function of (epoch, losses) or (epoch, losses, state) "
            "sees as its losses; this rate is none. lrs.plateau and dlrs take a watch of their own."
        )
    return Watched(rule, names)
