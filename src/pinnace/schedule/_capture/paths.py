"""Runs a function once for each path through it, and joins the results."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import set_current_trace, take_current_trace
from jaxtyping import Array, Bool, PyTree

from pinnace._errors import ScheduleError
from pinnace.schedule._capture.blame import Blame, place
from pinnace.schedule._capture.losses import CapturedLosses
from pinnace.schedule._capture.tracer import Captured, PathTrace
from pinnace.schedule._losses import LossValues

MOST_PATHS = 64


class Script:
    """The answers to the questions that one path asks: those given, then always yes."""

    def __init__(self, answers: Sequence[bool]) -> None:
        self.answers = list(answers)
        self.asked: list[Bool[Array, ""]] = []

    def __call__(self, condition: Bool[Array, ""]) -> bool:
        # Each question has another path behind it.
        if len(self.asked) == MOST_PATHS - 1:
            raise _too_many()
        self.asked.append(condition)
        if len(self.asked) > len(self.answers):
            self.answers.append(True)
        return self.answers[len(self.asked) - 1]


def capture(
    function: Callable[..., Any], arguments: Sequence[PyTree], finished: Callable[[Any], PyTree[Array]]
) -> PyTree[Array]:
    """The value of `function` at `arguments`, whichever way it branches.

    `finished` brings what one path returns into the form (structure, shapes, types) that all paths share.
    Raises ScheduleError for what cannot be captured.
    """
    runs = 0

    def tree(answers: Sequence[bool]) -> PyTree[Array]:
        """The value below a node of the tree of decisions."""
        nonlocal runs
        runs += 1
        if runs > MOST_PATHS:
            raise _too_many()
        script = Script(answers)
        value = _one_path(function, arguments, finished, script)
        for depth in reversed(range(len(answers), len(script.asked))):
            other = tree([*script.answers[:depth], False])
            value = jax.tree.map(partial(jnp.where, script.asked[depth]), value, other)
        return value

    return tree([])


def _one_path(
    function: Callable[..., Any],
    arguments: Sequence[PyTree],
    finished: Callable[[Any], PyTree[Array]],
    script: Script,
) -> PyTree[Array]:
    with take_current_trace() as parent:
        trace = PathTrace(parent, script)
        with set_current_trace(trace), Blame():
            result = function(*(_stand_in(trace, argument) for argument in arguments))
            value = finished(result)
        trace.invalidate()
    return jax.tree.map(trace.value_of, value)


def _stand_in(trace: PathTrace, argument: PyTree) -> PyTree:
    if isinstance(argument, LossValues):
        return CapturedLosses(trace, argument)
    return jax.tree.map(partial(Captured, trace), argument)


def _too_many() -> ScheduleError:
    return ScheduleError(
        f"This rate has more than {MOST_PATHS} paths through its branches{place()}. A `while` over a value "
        "that is not known while the step is compiled has no end: write jax.lax.while_loop. For many "
        "branches write jnp.where(condition, a, b), jnp.max(losses) for max(losses), or "
        "a <= epoch < b for `epoch in range(a, b)`."
    )
