"""Up to a peak, and down to far below the start."""

from itertools import pairwise
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from pinnace._errors import ScheduleError, did_you_mean, listed
from pinnace.schedule._arguments import Arguments, is_traced
from pinnace.schedule._cosine import half_cosine
from pinnace.schedule._rule import Curve

KINDS = ("cosine", "linear")


class OneCycle(Curve):
    """See `LearningRateSchedule.one_cycle`: levels at edges, and a way from each to the next."""

    edges: tuple[int | Array, ...]
    levels: tuple[float | Array, ...]
    kind: str = eqx.field(static=True)

    def at(self, t):
        lr = self.levels[-1]
        for (start, end), (first, last) in reversed([*zip(pairwise(self.edges), pairwise(self.levels), strict=True)]):
            steps = jnp.maximum(end - start, 1)
            lr = jnp.where(t < end, self._between(t - start, steps, first, last), lr)
        return lr

    def _between(self, t, steps, first, last):
        return half_cosine(t, steps, first, last) if self.kind == "cosine" else first + (last - first) * t / steps


def one_cycle(
    total_steps: Any,
    peak_lr: Any,
    pct_start: Any,
    div_factor: Any,
    final_div_factor: Any,
    kind: Any,
    pct_final: Any,
) -> OneCycle:
    """The checked rule."""
    given = Arguments("lrs.one_cycle")
    total = given.whole("total_steps", total_steps, least=1)
    peak = given.real("peak_lr", peak_lr)
    up = given.real("pct_start", pct_start, least=0, below=1)
    down = given.real("pct_final", pct_final, least=0, most=1)
    start = peak / given.real("div_factor", div_factor, above=0)
    end = start / given.real("final_div_factor", final_div_factor, above=0)
    if kind not in KINDS:
        raise ScheduleError(
            f"lrs.one_cycle got kind = {kind!r}: write one of {listed(KINDS)}.{did_you_mean(kind, KINDS)}"
        )
    if kind == "cosine":
        return OneCycle((0, _share(up, total), total), (start, peak, end), kind)
    if not is_traced(up) and not is_traced(down) and down < up:
        raise ScheduleError(
            f"lrs.one_cycle got pct_start = {up:g} and pct_final = {down:g}, but the way down from the peak ends after "
            "it begins. Give a larger pct_final."
        )
    return OneCycle((0, _share(up, total), _share(down, total), total), (start, peak, start, end), kind)


def _share(part: Any, total: Any) -> Any:
    """The whole steps in a part of all: Python's number, since 0.29 * 100 is less in float64 than in float32."""
    if is_traced(part) or is_traced(total):
        return jnp.floor(part * total).astype(int)
    return int(part * total)
