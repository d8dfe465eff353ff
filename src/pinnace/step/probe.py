"""The expressions of the losses at some points and beside them, in double precision: what `crux.check` compares."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from pinnace.expr import MEASURED, Expr, PointSet, symbols_in
from pinnace.expr.text import postorder
from pinnace.lower import WEIGHTS, Compiled, Program
from pinnace.step.differences import LEVELS, slope, steps_of
from pinnace.step.moves import held
from pinnace.step.placement import Placement
from pinnace.step.recipe import chance
from pinnace.step.scale import Scale
from pinnace.step.state import State
from pinnace.step.values import values_at

ROWS = 20_000
"""Points, with those beside them, that are evaluated at once: beyond, fewer points are taken."""
KNOWN = ("reduce", *WEIGHTS)
"""Kinds that run over points themselves: their values are taken as they are."""
MOVING = ("at", "integral")
"""Kinds inside which coordinates are other ones."""


@dataclass(frozen=True)
class Derivative:
    """A derivative at some points `[m, ...]`: by the language, and by differences of the next lower one."""

    expr: Expr
    values: np.ndarray
    differences: np.ndarray
    error: np.ndarray
    """How far off the differences may be."""


@dataclass(frozen=True)
class Probe:
    """What is known of the losses on one point set."""

    points: PointSet
    at: np.ndarray
    """The points that were taken, `[m, d]`."""
    derivatives: tuple[Derivative, ...]
    residuals: Mapping[Expr, np.ndarray]
    assembled: Mapping[Expr, np.ndarray]
    """The residuals put together from single derivatives; without those that move coordinates."""
    unseen: tuple[tuple[Expr, int], ...]
    """Fields, and the axes that they should depend on but do not."""


def residuals_of(loss: Expr) -> list[Expr]:
    """What a loss runs over points with: the arguments of its reductions."""
    found = [arg for node in _below([loss]) if node.kind == "reduce" for arg in node.args if arg.points is not None]
    return list(dict.fromkeys(found))


def derivatives_of(exprs: Sequence[Expr]) -> list[Expr]:
    """All derivatives in some expressions, and those that they are derivatives of; lower orders first."""
    found: dict[Expr, None] = {}
    for node in _below(exprs):
        while node.kind == "derivative" and node.points is not None and node not in found and not symbols_in(node):
            if any(inner.kind == "trace" for inner in _below([node])):
                break  # an estimate is another one at each point
            found[node] = None
            node = lower_derivative(node)
    return sorted(found, key=lambda node: len(node.args))


def lower_derivative(node: Expr) -> Expr:
    """What a derivative is the first derivative of, by its last coordinate."""
    inner, *coordinates = node.args
    return inner.d(*coordinates[:-1]) if len(coordinates) > 1 else inner


def probes(compiled: Compiled, state: State, scale: Scale, count: int, seed: int) -> Iterator[Probe]:
    """The losses of a problem on each of their point sets, at so many random points of it."""
    program, placement = compiled.program, Placement(scale, compiled.program.points)
    residuals = list(dict.fromkeys(part for loss in program.losses for part in residuals_of(loss)))
    known = list(dict.fromkeys(node for node in _below(residuals) if node.kind in KNOWN))
    values = dict(zip(known, values_at(compiled, placement, state, known), strict=True)) if known else {}
    plain = placement.plain(state)
    for points, array in zip(program.points, map(np.asarray, plain.points), strict=True):
        mine = [residual for residual in residuals if residual.points is points]
        derivatives = [node for node in derivatives_of(program.losses) if node.points is points]
        if not (mine or derivatives):
            continue
        random = np.random.default_rng([seed, program.points.index(points)])
        here = (node for node in _below(mine) if node.points is points and not symbols_in(node))
        fields = list(dict.fromkeys(node for node in here if node.kind == "field"))
        axes = sorted({axis for node in (*fields, *derivatives) for where, axis in node.depends if where is points})
        most = max(4, ROWS // (1 + 2 * LEVELS * len(axes)))
        rows = random.choice(len(array), min(count, most, len(array)), replace=False)
        yield _probe(program, plain, points, array, np.sort(rows), axes, mine, derivatives, fields, values)


def _probe(
    program: Program,
    state: State,
    points: PointSet,
    array: np.ndarray,
    rows: np.ndarray,
    axes: Sequence[int],
    residuals: Sequence[Expr],
    derivatives: Sequence[Expr],
    fields: Sequence[Expr],
    known: Mapping[Expr, np.ndarray],
) -> Probe:
    at = array[rows].astype(np.float64)
    extents = [float(np.ptp(array[:, axis])) or 1.0 for axis in axes]
    steps = [steps_of(extent) for extent in extents]
    shifts = [np.zeros(at.shape[1])]
    for axis, sizes in zip(axes, steps, strict=True):
        unit = np.eye(at.shape[1])[axis]
        shifts += [sign * size * unit for sign in (1, -1) for size in sizes]
    everywhere = (at[None] + np.stack(shifts)[:, None]).reshape(-1, at.shape[1])
    lowers = list(dict.fromkeys([*derivatives, *map(lower_derivative, derivatives), *fields]))
    here = {
        node: np.tile(value[rows], (len(shifts), *(1,) * (value.ndim - 1))) if node.points is points else value
        for node, value in known.items()
        if node.points in (None, points)
    }
    simple = [one for one in residuals if not any(node.kind in MOVING for node in _below([one]))]
    within = set(_below(simple))
    replaced = tuple(node for node in derivatives if node in within)
    groups = (tuple(lowers), tuple(residuals), tuple(simple), replaced)
    found = _in_double(program, groups, state, points, everywhere, here)
    shaped = [[value.reshape(len(shifts), len(rows), *value.shape[1:]) for value in part] for part in found]
    table = dict(zip(lowers, shaped[0], strict=True))

    def beside(node: Expr, axis: int) -> tuple[np.ndarray, np.ndarray]:
        start = 1 + 2 * LEVELS * axes.index(axis)
        return table[node][start : start + LEVELS], table[node][start + LEVELS : start + 2 * LEVELS]

    compared = []
    for node in derivatives:
        axis = node.args[-1].data[1]
        value, error = slope(*beside(lower_derivative(node), axis), steps[axes.index(axis)])
        compared.append(Derivative(node, table[node][0], value, error))
    unseen = []
    for node in fields:
        for axis in sorted(axis for where, axis in node.depends if where is points):
            above, below = beside(node, axis)
            if np.array_equal(above, below):
                unseen.append((node, axis))
    return Probe(
        points,
        at,
        tuple(compared),
        {node: value[0] for node, value in zip(residuals, shaped[1], strict=True)},
        {node: value[0] for node, value in zip(simple, shaped[2], strict=True)},
        tuple(unseen),
    )


def _below(exprs: Sequence[Expr]) -> Iterator[Expr]:
    """All nodes of some expressions, but none below what is a constant to them."""
    return postorder(exprs, lambda node: () if node.kind in (*WEIGHTS, *MEASURED) else node.args)


def _in_double(
    program: Program,
    groups: tuple[tuple[Expr, ...], ...],
    state: State,
    points: PointSet,
    at: np.ndarray,
    known: Mapping[Expr, np.ndarray],
) -> list[list[np.ndarray]]:
    """The values of groups of expressions, each evaluated on its own; the third from the derivatives of the last."""
    with jax.enable_x64(True):
        params, weights = jax.tree.map(_doubled, (state.params, state.weights))
        others = [at if one is points else array for one, array in zip(program.points, state.points, strict=True)]
        values = [jax.tree.map(_doubled, jnp.asarray(value)) for value in known.values()]
        found = _evaluated(
            program, groups, tuple(known), params, list(map(_doubled, others)), weights, values, chance(program, state)
        )
        return jax.tree.map(np.asarray, found)


def _doubled(leaf: Any) -> Array:
    array = jnp.asarray(leaf)
    return array.astype(jnp.float64) if jnp.issubdtype(array.dtype, jnp.floating) else array


@partial(jax.jit, static_argnums=(0, 1, 2))
def _evaluated(
    program: Program,
    groups: tuple[tuple[Expr, ...], ...],
    nodes: tuple[Expr, ...],
    params: Sequence[PyTree],
    points: Sequence[Array],
    weights: Sequence[Array],
    values: Sequence[Array],
    drawn: Any,
) -> list[list[Array]]:
    given = program.given(params, points, held(weights), chance=drawn)
    known = dict(zip(nodes, values, strict=True))
    lowers, residuals, simple, replaced = groups
    first = program.evaluate(lowers, replace(given, known=known))
    by_node = dict(zip(lowers, first, strict=True))
    single = {node: by_node[node] for node in replaced}
    return [
        first,
        program.evaluate(residuals, replace(given, known=known)),
        program.evaluate(simple, replace(given, known={**known, **single})),
    ]
