"""Optimizers that evaluate the loss again, and what makes it another loss from step to step."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from pinnace._errors import PinnaceWarning, listed
from pinnace.expr import MEASURED, nodes
from pinnace.lower import Compiled
from pinnace.step.recipe import Attached
from pinnace.step.state import State


def restless(compiled: Compiled) -> list[str]:
    """What changes the total at each step beside the parameters, in words; what is only logged or replaced does not."""
    program = compiled.program
    summed = {arg.points for node in nodes(program.entries) if node.kind in ("reduce", *MEASURED) for arg in node.args}
    points = [
        repr(points)
        for points, moved in zip(program.points, program.moved, strict=True)
        if points in summed and (points.plan.moves or moved is not None)
    ]
    weights = [f"the weights of {cell.name}" for cell in compiled.cells if cell.restless]
    return points + weights + ["what is estimated"] * bool(program.noises)


def warn_of_searches(moving: Sequence[str], searching: Callable[[], Sequence[str]]) -> None:
    """One warning where optimizers search in a total that will be another one at the next step."""
    names = searching() if moving else ()
    if names:
        warnings.warn(
            f"the optimizer of {listed(names)} evaluates the loss several times and compares it with that of steps "
            f"before, but {', '.join(moving)} change from step to step, and the loss with them: what it has learned "
            f"misleads it. Keep points and weights for this stage: leave resample= and batch= out, and take fixed or "
            f"equal_init weights.",
            PinnaceWarning,
            stacklevel=5,
        )


def searching(attachments: Sequence[Attached], state: State) -> list[str]:
    """What is trained by optimizers that evaluate the total, or the residuals, at other parameters again."""
    pairs = zip(attachments, state.optimizers, strict=True)
    return [name for one, moments in pairs if _searches(one, moments, state.params) for name in one.group.names]


def _searches(one: Attached, moments: PyTree, params: Sequence[PyTree]) -> bool:
    asked: list[bool] = []

    def value_fn(params: PyTree, residual_fn: Any = None) -> Array:
        asked.append(True)
        return jnp.zeros((), jnp.result_type(float))

    def residual_fn(params: PyTree) -> Array:
        asked.append(True)
        return jnp.zeros(1)

    def update(moments: PyTree, trained: PyTree) -> PyTree:
        value = jnp.zeros((), jnp.result_type(float))
        return one.group.tx.update(
            trained, moments, trained, value=value, grad=trained, value_fn=value_fn, residual_fn=residual_fn
        )

    jax.eval_shape(update, moments, one.group.trained(params))
    return bool(asked)
