"""What every learning rate can do, whatever decides it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PyTree

from pinnace._errors import ScheduleError
from pinnace.schedule._arguments import is_number
from pinnace.schedule._constant import constant
from pinnace.schedule._function import function
from pinnace.schedule._losses import Losses, as_losses
from pinnace.schedule._rule import Rule

Epoch = Int[Array, ""] | int


class Schedule(Rule):
    """A rule and its clamps."""

    rule: Rule
    min_lr: float | Array | None
    max_lr: float | Array | None

    @property
    def reads_losses(self) -> bool:
        return self.rule.reads_losses

    @property
    def has_state(self) -> bool:
        return self.rule.has_state

    def __call__(self, epoch: Epoch, losses: Losses | None = None) -> Float[Array, ""]:
        """The rate at an epoch, outside any solver.

        `epoch`: how many updates came before. `losses`: a list, an array or a dict, for rates that read
        them. Raises ScheduleError where losses are missing, and for a rate that has state.

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> lrs.step(0.1, 1000, gamma=0.5)(2500).item()
        0.02500000037252903
        """
        if self.has_state:
            raise ScheduleError(
                "This rate has state, so its value depends on the steps before. Write "
                "`state = schedule.init()` and `lr, state = schedule.update(epoch, losses, state)`, or "
                "attach it with .scale(schedule)."
            )
        return self.update(epoch, losses, self.init())[0]

    def init(self) -> PyTree[Array]:
        """The state before the first step, `()` for a rate that has none.

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> lrs.constant(1e-3).init()
        ()
        """
        return self.rule.init()

    def update(self, epoch: Epoch, losses: Losses | None, state: PyTree) -> tuple[Float[Array, ""], PyTree]:
        """The rate of this step, and the state for the next. To be called once a step.

        Pure: works under `jit`, `vmap`, `scan` and the other loops. The rate has JAX's default float type.

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> lr, state = lrs(1e-3).update(0, None, ())
        """
        values = as_losses(losses)
        if self.reads_losses and values is None:
            raise ScheduleError(
                "This rate reads the losses, and got none: give them as a list or a dict, "
                "schedule(epoch, losses). An optax optimizer has none to give: write "
                "net.optimizer(optax.adam(1)).scale(schedule) instead of optax.adam(learning_rate=schedule)."
            )
        lr, state = self.rule.update(_as_epoch(epoch), values, state)
        return jnp.asarray(jnp.clip(lr, self.min_lr, self.max_lr), jnp.result_type(float)), state


def rule_of(rate: Any, state: PyTree) -> Rule:
    """What decides the rate, of whatever a user gives for one."""
    if state is None and isinstance(rate, Rule):
        return rate
    if state is None and is_number(rate):
        return constant(rate, name="lrs")
    if callable(rate) and not isinstance(rate, Rule):
        return function(rate, state)
    if state is None:
        expected = "is a number, or a function of (epoch) or (epoch, losses)"
    else:
        expected = "with state is a function of (epoch, state) or (epoch, losses, state)"
    raise ScheduleError(f"lrs got {rate!r}, but a learning rate {expected}.{_meant(rate)}")


def _meant(rate: Any) -> str:
    if isinstance(rate, optax.GradientTransformation):
        return " This is an optimizer: attach it with net.optimizer(...)."
    if isinstance(rate, list | tuple | np.ndarray | jax.Array):
        return " For values that change at given epochs write lrs.piecewise_constant(boundaries, values)."
    return ""


def _as_epoch(epoch: Any) -> Array:
    """A scalar in the default int type; a fraction, which only users give, as a float."""
    if not is_number(epoch):
        raise ScheduleError(f"A rate is asked for one epoch, a whole number; got {epoch!r}.{_instead(epoch)}")
    kind = int if jnp.issubdtype(jnp.result_type(epoch), jnp.integer) else float
    return jnp.asarray(epoch, jnp.result_type(kind))


def _instead(epoch: Any) -> str:
    match epoch:
        case ():  # What `init` returned: optax takes what has init and update for a schedule of its own kind.
            return " For optax.inject_hyperparams write lambda count: schedule(count)."
        case list() | tuple() | np.ndarray() | jax.Array():
            return " For many epochs write jax.vmap(schedule)(epochs)."
    return ""
