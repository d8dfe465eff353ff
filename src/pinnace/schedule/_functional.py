"""The functional face, for solvers that take `schedule(step)` or `schedule(step, state)`."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Array, Float, Int, PyTree

from pinnace._errors import ScheduleError
from pinnace.schedule._constant import constant
from pinnace.schedule._learning_rate import LearningRateSchedule, Number
from pinnace.schedule._step import step


def constant_lr(lr: Number) -> LearningRateSchedule:
    """The same rate at every step.

    >>> constant_lr(0.5)(3).item()
    0.5
    """
    return LearningRateSchedule(constant(lr, name="constant_lr"))


def lambda_lr(f: Callable[[Int[Array, ""]], Any]) -> LearningRateSchedule:
    """A function of the step, which may branch in Python.

    Raises ScheduleError for a function of anything else.

    >>> lambda_lr(lambda step: 0.5 if step < 10 else 0.25)(10).item()
    0.25
    """
    schedule = LearningRateSchedule(f)
    if schedule.reads_losses or schedule.has_state:
        raise ScheduleError("lambda_lr takes a function of the step alone. Write lrs(f) for one of (epoch, losses).")
    return schedule


def step_lr(base_lr: Number, step_size: int, gamma: Number = 0.1) -> LearningRateSchedule:
    """The rate `base_lr`, multiplied by `gamma` every `step_size` steps.

    >>> step_lr(1.0, step_size=1000, gamma=0.5)(2000).item()
    0.25
    """
    return LearningRateSchedule(step(base_lr, step_size, gamma, name="step_lr", first="base_lr"))


def as_schedule(
    lr: Number | Callable[..., Any], schedule_state: PyTree = None
) -> tuple[Callable[[Int[Array, ""], PyTree], tuple[Float[Array, ""], PyTree]], PyTree]:
    """A number, a schedule `step -> lr` or one with state `(step, state) -> (lr, state)`, in one form.

    `schedule_state`: the first state of one that has it. Returns a pure function `(step, state) -> (lr,
    next_state)` and its first state; without state, whatever is passed for it comes back. Works under `jit`
    and `scan`. Raises ScheduleError for a rate that reads losses.

    >>> def halving(step, state):
    ...     return state, 0.5 * state
    >>> rate, state = as_schedule(halving, 1.0)
    >>> lr, state = rate(0, state)
    >>> lr.item(), state.item()
    (1.0, 0.5)
    """
    schedule = _schedule_of(lr, schedule_state)
    if schedule.reads_losses:
        raise ScheduleError(
            "as_schedule takes a rate of the step, and this one reads losses. Call "
            "schedule.update(step, losses, state)."
        )

    def rate(step: Int[Array, ""], state: PyTree) -> tuple[Float[Array, ""], PyTree]:
        return schedule.update(step, None, state)

    return rate, schedule.init() if schedule.has_state else schedule_state


def _schedule_of(lr: Any, state: PyTree) -> LearningRateSchedule:
    if isinstance(lr, LearningRateSchedule):
        if state is not None:
            raise ScheduleError("This schedule brings its own first state: leave schedule_state out.")
        return lr
    return LearningRateSchedule(lr, state=state if callable(lr) else None)
