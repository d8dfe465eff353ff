"""The learning rates that users write: `LearningRateSchedule`, usually called `lrs`."""

from collections.abc import Sequence
from typing import Any, Self

from jaxtyping import Array, Float, PyTree

from pinnace.schedule._arguments import Arguments
from pinnace.schedule._base import Schedule, rule_of
from pinnace.schedule._constant import constant
from pinnace.schedule._cosine import cosine, warmup_cosine
from pinnace.schedule._exponential import exponential
from pinnace.schedule._piecewise import piecewise_constant
from pinnace.schedule._step import step

Number = float | Float[Array, ""]


class LearningRateSchedule(Schedule):
    """A learning rate: a number, a function, or one of the shapes that the methods make.

    `rate` is a number, a function of `(epoch)` (any optax schedule) or of `(epoch, losses)`; with `state=`,
    its first state, a function of `(epoch, state)` or `(epoch, losses, state)` that returns
    `(lr, next_state)`. They are told apart by the number of positional parameters without default.
    `epoch` counts updates from 0; `losses[0]`, `losses[-1]`, ... are the values of the entries at this step,
    `losses["pde"]` the raw loss of that name. `min_lr` and `max_lr` clamp the rate.

    A function may branch in Python (`if`, `and`, `min`, ...): it is run once for each of at most 64 paths
    through it, inside the compiled step too. What cannot be known there (`float()`, `math.exp`, a list
    indexed by the epoch) is a ScheduleError that says what to write instead.

    The schedule is a pytree whose numbers are leaves, and pure: `schedule(epoch)` gives the rate outside any
    solver, and `optax.adam(learning_rate=schedule)` works for those that read no losses.

    >>> from pinnace.schedule import LearningRateSchedule as lrs
    >>> drop = lrs(lambda epoch, losses: 1e-3 if losses[0] > 1e-2 else 1e-5)
    >>> round(float(drop(0, [0.5])), 6), round(float(drop(0, [0.001])), 6)
    (0.001, 1e-05)
    """

    def __init__(
        self,
        rate: Any,
        *,
        state: PyTree = None,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> None:
        self.rule = rule_of(rate, state)
        self.min_lr, self.max_lr = Arguments("lrs").bounds(min_lr, max_lr)

    @classmethod
    def constant(cls, lr: Number, *, min_lr: Number | None = None, max_lr: Number | None = None) -> Self:
        """The same rate at every step; `lrs(1e-3)` is short for it.

        >>> LearningRateSchedule.constant(0.5)(7).item()
        0.5
        """
        return cls(constant(lr), min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def exponential(
        cls,
        lr0: Number,
        decay_rate: Number,
        decay_steps: Number,
        lr_end: Number | None = None,
        *,
        staircase: bool = False,
        transition_begin: int = 0,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """The rate `lr0 * decay_rate ** ((t - transition_begin) / decay_steps)`, and `lr0` until then.

        `lr_end`: the rate never goes below it; never above it where `decay_rate` is more than 1.
        `staircase`: the exponent is rounded down to a whole number. Raises ScheduleError for `decay_rate` or
        `decay_steps` that are not positive, and for a negative `transition_begin`.

        >>> schedule = LearningRateSchedule.exponential(0.1, 0.96, 1000)
        >>> round(float(schedule(2000)), 5)
        0.09216
        """
        rule = exponential(lr0, decay_rate, decay_steps, lr_end, staircase, transition_begin)
        return cls(rule, min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def cosine(
        cls,
        total_steps: int,
        lr0: Number,
        lr_end: Number = 0.0,
        *,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """Half a cosine from `lr0` at step 0 to `lr_end` at `total_steps`, and `lr_end` from then on.

        >>> round(float(LearningRateSchedule.cosine(100, 1.0)(50)), 6)
        0.5
        """
        return cls(cosine(total_steps, lr0, lr_end), min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def warmup_cosine(
        cls,
        total_steps: int,
        warmup_steps: int,
        lr0: Number,
        lr_end: Number = 0.0,
        *,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """A line from 0 to `lr0` over `warmup_steps`, then half a cosine to `lr_end` at `total_steps`.

        The first rate is 0; give `min_lr` if the first step should move. Raises ScheduleError where
        `warmup_steps` is not less than `total_steps`, which counts both parts.

        >>> schedule = LearningRateSchedule.warmup_cosine(100, 10, 1.0)
        >>> [round(float(schedule(t)), 6) for t in (0, 5, 10, 55, 100)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
        """
        return cls(warmup_cosine(total_steps, warmup_steps, lr0, lr_end), min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def piecewise_constant(
        cls,
        boundaries: Sequence[int],
        values: Sequence[Number],
        *,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """The rate `values[k]` once k boundaries are reached: a boundary is the first step of its new value.

        Raises ScheduleError where boundaries do not increase, or there is not one value more than boundaries.

        >>> schedule = LearningRateSchedule.piecewise_constant([10, 30], [1.0, 0.5, 0.25])
        >>> [float(schedule(t)) for t in (0, 9, 10, 30)]
        [1.0, 1.0, 0.5, 0.25]
        """
        return cls(piecewise_constant(boundaries, values), min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def step(
        cls,
        lr0: Number,
        step_size: int,
        gamma: Number = 0.1,
        *,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """The rate `lr0`, multiplied by `gamma` every `step_size` steps.

        >>> [float(LearningRateSchedule.step(1.0, 10, 0.5)(t)) for t in (9, 10, 20)]
        [1.0, 0.5, 0.25]
        """
        return cls(step(lr0, step_size, gamma), min_lr=min_lr, max_lr=max_lr)
