"""Cosines that start again: joined cycles."""

from itertools import accumulate
from typing import Any

from pinnace._errors import ScheduleError
from pinnace.schedule._arguments import Arguments, is_number
from pinnace.schedule._cosine import warmup_cosine
from pinnace.schedule._join import Join, join


def cosine_restarts(cycle_steps: Any, lr0: Any, lr_end: Any, warmup_steps: Any) -> Join:
    """The checked rule."""
    name = "lrs.cosine_restarts"
    given = Arguments(name)
    listed = given.several("cycle_steps", cycle_steps)
    lengths = [given.whole(f"cycle_steps[{k}]", steps, least=1) for k, steps in enumerate(listed)]
    if not lengths:
        raise given.error("cycle_steps", cycle_steps, "a list of at least one length")
    firsts = [lr0] * len(lengths) if is_number(lr0) else given.several("lr0", lr0)
    if len(firsts) != len(lengths):
        raise ScheduleError(
            f"{name} got {len(lengths)} cycles and {len(firsts)} rates: give one lr0 for all cycles, or one for each."
        )
    cycles = [
        warmup_cosine(steps, warmup_steps, first, lr_end, name=name, counted=f"cycle_steps[{k}]", first=f"lr0[{k}]")
        for k, (steps, first) in enumerate(zip(lengths, firsts, strict=True))
    ]
    return join(cycles, [*accumulate(lengths)][:-1], name=name)
