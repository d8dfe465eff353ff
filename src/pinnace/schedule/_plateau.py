"""Lower the rate where a loss no longer falls."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pinnace.schedule._arguments import Arguments
from pinnace.schedule._losses import LossValues, named
from pinnace.schedule._rule import Rule


class _Memory(NamedTuple):
    scale: Float[Array, ""]
    best: Float[Array, ""]
    bad: Int[Array, ""]
    """Values in a row that were no improvement."""
    rest: Int[Array, ""]
    """Values until the next may count as bad."""
    mean: Float[Array, ""]
    """Of the values since the last decision, as many as `count`."""
    count: Int[Array, ""]


class Plateau(Rule):
    """See `LearningRateSchedule.plateau`."""

    lr0: float | Array
    factor: float | Array
    patience: int | Array
    rtol: float | Array
    atol: float | Array
    cooldown: int | Array
    accumulation_size: int | Array
    watch: str = eqx.field(static=True)

    @property
    def reads_losses(self) -> bool:
        return True

    @property
    def has_state(self) -> bool:
        return True

    def init(self) -> _Memory:
        dtype = jnp.result_type(float)
        zero = jnp.zeros((), int)
        return _Memory(jnp.ones((), dtype), jnp.full((), jnp.inf, dtype), zero, zero, jnp.zeros((), dtype), zero)

    def update(self, epoch: Array, losses: LossValues | None, state: _Memory) -> tuple[Any, _Memory]:
        assert losses is not None
        value = jnp.asarray(named(losses, self.watch, f'watch="{self.watch}"'), state.mean.dtype)
        count = state.count + 1
        mean = (state.count * state.mean + value) / count
        full = count == self.accumulation_size
        decided = self._decided(mean, state)
        after = jax.tree.map(
            lambda new, old: jnp.where(full, new, old), decided, state._replace(mean=mean, count=count)
        )
        after = jax.tree.map(lambda new, old: jnp.where(jnp.isfinite(value), new, old), after, state)
        return self.lr0 * after.scale, after

    def _decided(self, value: Array, state: _Memory) -> _Memory:
        """One move of optax's `reduce_on_plateau`."""
        # abs: there a negative loss counts as improved while it stands still.
        known = jnp.where(jnp.isfinite(state.best), state.best, 0)
        better = jnp.isinf(state.best) | (value < known - self.rtol * jnp.abs(known) - self.atol)
        resting = state.rest > 0
        bad = jnp.where(better | resting, 0, state.bad + 1)
        cut = bad == self.patience
        return _Memory(
            scale=jnp.where(cut, state.scale * self.factor, state.scale),
            best=jnp.where(better, value, state.best),
            bad=jnp.where(cut, 0, bad),
            rest=jnp.where(cut, self.cooldown, jnp.maximum(state.rest - 1, 0)),
            mean=jnp.zeros_like(state.mean),
            count=jnp.zeros_like(state.count),
        )


def plateau(
    lr0: Any, factor: Any, patience: Any, rtol: Any, atol: Any, cooldown: Any, accumulation_size: Any, watch: Any
) -> Plateau:
    """The checked rule."""
    given = Arguments("lrs.plateau")
    return Plateau(
        lr0=given.real("lr0", lr0),
        factor=given.real("factor", factor, above=0, below=1),
        patience=given.whole("patience", patience, least=1),
        rtol=given.real("rtol", rtol, least=0, most=1),
        atol=given.real("atol", atol, least=0),
        cooldown=given.whole("cooldown", cooldown, least=0),
        accumulation_size=given.whole("accumulation_size", accumulation_size, least=1),
        watch=given.name_of("watch", watch),
    )
