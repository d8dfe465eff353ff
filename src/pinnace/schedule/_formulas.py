"""Rates that are a formula of the epoch, made by class methods."""

from collections.abc import Sequence
from typing import Self

from jaxtyping import Array, Float

from pinnace.schedule._base import Schedule
from pinnace.schedule._constant import constant
from pinnace.schedule._cosine import cosine, warmup_cosine
from pinnace.schedule._cosine_restarts import cosine_restarts
from pinnace.schedule._exponential import exponential
from pinnace.schedule._one_cycle import one_cycle
from pinnace.schedule._piecewise import piecewise_constant
from pinnace.schedule._polynomial import polynomial
from pinnace.schedule._step import step

Number = float | Float[Array, ""]


class Formulas(Schedule):
    """The part of `LearningRateSchedule` that needs the epoch only."""

    @classmethod
    def constant(cls, lr: Number, *, min_lr: Number | None = None, max_lr: Number | None = None) -> Self:
        """The same rate at every step; `lrs(1e-3)` is short for it.

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> lrs.constant(0.5)(7).item()
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

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> schedule = lrs.exponential(0.1, 0.96, 1000)
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

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> round(float(lrs.cosine(100, 1.0)(50)), 6)
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

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> schedule = lrs.warmup_cosine(100, 10, 1.0)
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

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> schedule = lrs.piecewise_constant([10, 30], [1.0, 0.5, 0.25])
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

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> [float(lrs.step(1.0, 10, 0.5)(t)) for t in (9, 10, 20)]
        [1.0, 0.5, 0.25]
        """
        return cls(step(lr0, step_size, gamma), min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def linear(
        cls,
        lr0: Number,
        lr_end: Number,
        transition_steps: int,
        transition_begin: int = 0,
        *,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """A line from `lr0` to `lr_end` over `transition_steps`, which begins at `transition_begin`.

        As `optax.linear_schedule`.

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> schedule = lrs.linear(1.0, 0.0, 10, transition_begin=5)
        >>> [round(float(schedule(t)), 6) for t in (0, 5, 10, 15, 20)]
        [1.0, 1.0, 0.5, 0.0, 0.0]
        """
        rule = polynomial(lr0, lr_end, 1.0, transition_steps, transition_begin, name="lrs.linear")
        return cls(rule, min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def polynomial(
        cls,
        lr0: Number,
        lr_end: Number,
        power: Number,
        transition_steps: int,
        transition_begin: int = 0,
        *,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """From `lr0` to `lr_end`: the distance to the end is the share of steps that is left, to `power`.

        As `optax.polynomial_schedule`. Raises ScheduleError for a power that is not positive.

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> schedule = lrs.polynomial(1.0, 0.0, 2, 10)
        >>> [round(float(schedule(t)), 6) for t in (0, 5, 10)]
        [1.0, 0.25, 0.0]
        """
        rule = polynomial(lr0, lr_end, power, transition_steps, transition_begin)
        return cls(rule, min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def one_cycle(
        cls,
        total_steps: int,
        peak_lr: Number,
        pct_start: Number = 0.3,
        div_factor: Number = 25.0,
        final_div_factor: Number = 1e4,
        *,
        kind: str = "cosine",
        pct_final: Number = 0.85,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """Up from `peak_lr / div_factor` to `peak_lr`, then down to the start divided by `final_div_factor`.

        The peak comes at the share `pct_start` of the steps. `kind="cosine"`: half a cosine each, as
        `optax.cosine_onecycle_schedule`. `kind="linear"`: lines, back at the start at the share `pct_final`, and
        then on, as `optax.linear_onecycle_schedule`. Raises ScheduleError for shares that are out of order.

        Source: Smith and Topin 2017, arXiv 1708.07120.

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> schedule = lrs.one_cycle(100, 1.0)
        >>> [round(float(schedule(t)), 6) for t in (0, 30, 100)]
        [0.04, 1.0, 4e-06]
        """
        rule = one_cycle(total_steps, peak_lr, pct_start, div_factor, final_div_factor, kind, pct_final)
        return cls(rule, min_lr=min_lr, max_lr=max_lr)

    @classmethod
    def cosine_restarts(
        cls,
        cycle_steps: Sequence[int],
        lr0: Number | Sequence[Number],
        lr_end: Number = 0.0,
        *,
        warmup_steps: int = 0,
        min_lr: Number | None = None,
        max_lr: Number | None = None,
    ) -> Self:
        """Half a cosine from `lr0` to `lr_end` in each cycle, and `lr_end` after the last.

        `cycle_steps`: the length of each cycle, for example `[1000, 2000, 4000]`. `lr0`: one rate, or one a cycle.
        `warmup_steps`: a line from 0 at the start of each cycle, counted in its length. As `optax.sgdr_schedule`.
        Raises ScheduleError where a cycle is not longer than its warm-up.

        Source: Loshchilov and Hutter 2017, arXiv 1608.03983.

        >>> from pinnace.schedule import LearningRateSchedule as lrs
        >>> schedule = lrs.cosine_restarts([10, 20], 1.0)
        >>> [round(float(schedule(t)), 6) for t in (0, 5, 10, 20, 30)]
        [1.0, 0.5, 1.0, 0.5, 0.0]
        """
        return cls(cosine_restarts(cycle_steps, lr0, lr_end, warmup_steps), min_lr=min_lr, max_lr=max_lr)
