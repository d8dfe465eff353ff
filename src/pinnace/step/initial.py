"""The first state of a problem, and the state after somebody has attached another optimizer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from pinnace.lower import Compiled
from pinnace.step.recipe import Attached
from pinnace.step.state import State, settled
from pinnace.surgery import Surgery


def initial(compiled: Compiled, attachments: Sequence[Attached], key: Any, surgery: Surgery | None = None) -> State:
    """Parameters as the modules have them, points drawn, balancers, optimizers and schedules at their start.

    Everything random comes from `key`: point sets get it folded with their number, in order of first use.
    """
    program = compiled.program
    params = tuple(settled(eqx.filter(trainable.module, eqx.is_array)) for trainable in program.trainables)
    drawn = [points.plan.init(jax.random.fold_in(key, k)) for k, points in enumerate(program.points)]
    samplers = [
        points.plan.base if moved else sampler
        for points, moved, (_, sampler) in zip(program.points, program.moved, drawn, strict=True)
    ]
    starts = [start(one, params) for one in attachments]
    return settled(
        State(
            params=params,
            optimizers=tuple(start[0] for start in starts),
            counts=tuple(start[1] for start in starts),
            rates=tuple(start[2] for start in starts),
            cells=tuple(cell.form.start(cell.balancer) for cell in compiled.cells),
            weights=tuple(_number(np.ones(cell.form.size), float) for cell in compiled.cells),
            points=tuple(points for points, _ in drawn),
            samplers=tuple(samplers),
            damping=_number(1, float),
            surgery=() if surgery is None else surgery.init(len(program.entries)),
            key=jax.random.key_data(key),
            step=_number(0, int),
        )
    )


def start(one: Attached, params: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Fresh moments, a count of zero, and the first state of the schedule."""
    rate = () if one.schedule is None else one.schedule.init()
    return settled((_moments(one, params), _number(0, int), rate))


def _number(value: Any, kind: type) -> Array:
    """Numbers on the device without a compilation."""
    return jnp.asarray(np.asarray(value, jnp.result_type(kind)))


def _moments(one: Attached, params: Sequence[Any]) -> Any:
    """The first state of an optimizer, compiled as one: array by array takes several times as long."""
    trained = one.group.trained(params)
    try:
        return eqx.filter_jit(one.group.tx.init)(trained)
    except jax.errors.ConcretizationTypeError:
        return one.group.tx.init(trained)  # it looks at numbers, and chooses by them


def reattached(state: State, before: Sequence[Attached], now: Sequence[Attached]) -> State:
    """The state under the optimizers of now: an attachment that stayed keeps moments and count.

    A changed schedule starts from its own first state; the count goes on. What was damped is so no more.
    """
    old = {one.binding: (one, k) for k, one in enumerate(before)}
    optimizers, counts, rates = [], [], []
    for one in now:
        moments, count, rate = start(one, state.params)
        if one.binding in old and old[one.binding][0].group == one.group:
            earlier, k = old[one.binding]
            moments, count = state.optimizers[k], state.counts[k]
            rate = state.rates[k] if earlier.schedule is one.schedule else rate
        optimizers.append(moments)
        counts.append(count)
        rates.append(rate)
    fresh = {"optimizers": tuple(optimizers), "counts": tuple(counts), "rates": tuple(rates)}
    return replace(state, damping=_number(1, float), **fresh)
