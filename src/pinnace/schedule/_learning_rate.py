"""The learning rates that users write: `LearningRateSchedule`, usually called `lrs`."""

from collections.abc import Sequence
from typing import Any, Self

from jaxtyping import PyTree

from pinnace.schedule._arguments import Arguments
from pinnace.schedule._base import rule_of
from pinnace.schedule._formulas import Formulas
from pinnace.schedule._formulas import Number as Number
from pinnace.schedule._join import join
from pinnace.schedule._plateau import plateau
from pinnace.schedule._warmup import warmup
from pinnace.schedule._watched import watched


class LearningRateSchedule(Formulas):
    """A learning rate: a number, a function, or one of the shapes that the methods make.

    `rate` is a number, a function of `(epoch)` (any optax schedule) or of `(epoch, losses)`; with `state=`,
    its first state, a function of `(epoch, state)` or `(epoch, losses, state)` that returns
    `(lr, next_state)`. They are told apart by the number of positional parameters without default.
    `epoch` counts updates from 0; `losses[0]`, `losses[-1]`, ... are the values of the entries at this step,
    `losses["pde"]` the raw loss of that name, or else the tracker of that name if it is a number (NaN at steps where
    it is not computed), `losses["total"]` their sum as logged. `min_lr` and `max_lr` clamp the rate.

    `watch="pde"` or `watch=["pde", "error"]`: the function sees only these raw losses and trackers as its `losses`, in
    this order and by name, and of each the last finite value: a tracker may be computed every 100 steps.

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
        watch: str | Sequence[str] | None = None,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> None:
        rule = rule_of(rate, state)
        self.rule = rule if watch is None else watched(rule, watch)
        self.min_lr, self.max_lr = Arguments("lrs").bounds(min_lr, max_lr)

    @classmethod
    def join(
        cls,
        schedules: Sequence[Any],
        boundaries: Sequence[int],
        *,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """One rate after another: `schedules[k]` once k boundaries are reached.

        `schedules`: numbers, schedules and functions, one more than boundaries. Each has an epoch of its own, 0 at
        its boundary, as in `optax.join_schedules`; its state moves only while it is on. Raises ScheduleError where
        boundaries do not increase, or their number does not fit.

        >>> schedule = LearningRateSchedule.join([1.0, LearningRateSchedule.step(0.5, 10, 0.5)], [100])
        >>> [float(schedule(t)) for t in (99, 100, 110)]
        [1.0, 0.5, 0.25]
        """
        parts = [rule_of(part, None) for part in Arguments("lrs.join").several("schedules", schedules, "schedules")]
        return cls(join(parts, boundaries), min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def warmup(
        cls,
        schedule: Any,
        steps: int,
        start: Number = 0.0,
        *,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """A line from `start` to the first rate of a schedule over `steps`, and then that schedule.

        `schedule`: a number, a schedule or a function. It begins when the warm-up is over: its epoch is 0 at
        `steps`, and its state, if it has one, does not move before. One that reads losses is asked for its first
        rate at each step of the warm-up. With `start=0` the first step does not move: give a larger `start` if it
        should.

        >>> schedule = LearningRateSchedule.warmup(LearningRateSchedule.step(1.0, 10, 0.5), 4)
        >>> [float(schedule(t)) for t in (0, 1, 4, 13, 14)]
        [0.0, 0.25, 1.0, 1.0, 0.5]
        """
        return cls(warmup(rule_of(schedule, None), steps, start), min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def plateau(
        cls,
        lr0: Number,
        factor: Number = 0.1,
        patience: int = 10,
        *,
        watch: str = "total",
        rtol: Number = 1e-4,
        atol: Number = 0.0,
        cooldown: int = 0,
        accumulation_size: int = 1,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """The rate `lr0`, multiplied by `factor` after `patience` values that were no improvement.

        `watch`: which value, "total" or the name of a raw loss or of a tracker. An improvement is less than the best
        so far by the share `rtol` and by `atol`. `cooldown`: so many values after a cut count neither way.
        `accumulation_size`: the mean of so many values counts as one. A value that is not finite does not count: with
        a tracker that is computed every 100 steps, a patience of 5 is 500 steps. The cut rate is used in the same step.

        As `optax.contrib.reduce_on_plateau`, but for values below zero, of which it takes no change for an improvement.
        Raises ScheduleError for a factor that is not between 0 and 1 and a patience below 1.

        >>> schedule = LearningRateSchedule.plateau(1.0, factor=0.5, patience=2)
        >>> state, rates = schedule.init(), []
        >>> for t, loss in enumerate([3.0, 2.0, 2.0, 2.0, 1.0]):
        ...     lr, state = schedule.update(t, [loss], state)
        ...     rates.append(float(lr))
        >>> rates
        [1.0, 1.0, 1.0, 0.5, 0.5]
        """
        rule = plateau(lr0, factor, patience, rtol, atol, cooldown, accumulation_size, watch)
        return cls(rule, min_lr=min_lr, max_lr=max_lr)
