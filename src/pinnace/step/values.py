"""Several expressions at the points of a state, at once."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from pinnace.expr import Expr
from pinnace.lower import Compiled, Program, all_at_points
from pinnace.step.arithmetic import in_precision
from pinnace.step.moves import held
from pinnace.step.placement import Placement
from pinnace.step.recipe import chance
from pinnace.step.state import State


def values_at(compiled: Compiled, placement: Placement, state: State, exprs: Sequence[Expr]) -> list[np.ndarray]:
    """The values of canonical expressions at the points of a state, one row each."""
    program = replace(compiled.program, entries=tuple(exprs), losses=(), loss_names=(), trackers=())
    drawn = chance(compiled.program, state)
    return list(map(np.asarray, _evaluated(program, placement, state.params, state.points, state.weights, drawn)))


@partial(jax.jit, static_argnums=(0, 1))
def _evaluated(
    program: Program,
    placement: Placement,
    params: Sequence[Any],
    points: Sequence[Array],
    weights: Sequence[Array],
    drawn: Array,
) -> list[Array]:
    @in_precision(placement.scale.precision)
    def evaluated(params: Sequence[Any], points: Sequence[Array], weights: Sequence[Array]) -> list[Array]:
        given = program.given(params, points, held(weights), chance=drawn, **placement.how())
        return all_at_points(program.entries, given)

    values = evaluated(params, points, weights)
    return placement.whole(
        [placement.real(expr.points, value) for expr, value in zip(program.entries, values, strict=True)]
    )
