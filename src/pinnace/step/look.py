"""Any expression at the state as it is: moves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from pinnace._errors import ExpressionError
from pinnace.expr import MEASURED, Expr, PointSet, bound, nodes, text, unbound
from pinnace.lower import (
    WEIGHTS,
    Canonical,
    Compiled,
    Given,
    Program,
    check_symbols,
    check_targets,
    noises_of,
    sets_of,
)
from pinnace.step.arithmetic import in_precision
from pinnace.step.moves import held
from pinnace.step.placement import Placement
from pinnace.step.recipe import attached, chance
from pinnace.step.scale import Scale
from pinnace.step.state import State
from pinnace.step.vantage import Masks, masks_of, measuring


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _value(
    program: Program,
    placement: Placement,
    here: tuple[PointSet, ...],
    masks: Masks | None,
    params: Sequence[Any],
    points: Sequence[Array],
    weights: Sequence[Array],
    drawn: Array,
) -> Array:
    (expr,) = program.entries

    @in_precision(placement.scale.precision)
    def evaluated(params: Sequence[Any], points: Sequence[Array], weights: Sequence[Array]) -> Array:
        def given(params: Sequence[Any]) -> Given:
            return program.given(params, points, held(weights), chance=drawn, **placement.how(here))

        at = given(params) if masks is None else measuring(program, masks, params, given)
        return program.evaluate([expr], at)[0]

    value = evaluated(params, points, weights)
    return placement.whole(placement.real(expr.points, value) if expr.points in here else value)


def look(
    compiled: Compiled, state: State, expr: Expr, values: Mapping[Expr, Any] | None = None, scale: Scale | None = None
) -> Array:
    """The value of an expression at the current points, or at given ones: `{x: xs, t: ts}`.

    Given values are broadcast against each other; the result has their shape, then that of the expression. Points of
    sets that the problem does not use are drawn, the same ones each time.
    Raises ExpressionError for fields that the problem does not have, and for missing coordinates.
    """
    expr = _at_points(expr, values)
    found = list(nodes([expr]))
    for node in found:
        if node.kind in ("field", "parameter") and node.data[0] not in compiled.program.trainables:
            raise ExpressionError(f"`{text(node)}` is not part of this problem: no entry of core uses it.")
        if node.kind in WEIGHTS and node.data[0] not in compiled.cells:
            raise ExpressionError(f"`{text(node)}` is not part of this problem: no entry of core uses its balancer.")
    check_targets(found, compiled.program.trainables, compiled.names)
    arrays, shape = {}, None
    if values is not None:
        arrays, shape = _given(expr, values)
    check_symbols([expr], compiled.names, arrays)
    expr, arrays = _together(expr, arrays)
    found = list(nodes([expr]))
    needed = (*sets_of(found), *(points for points in arrays if points.symbolic))
    for node in found:
        if node.kind == "point weight" and node.points in arrays:
            raise ExpressionError(
                f"`{text(node)}` is known at the points of the problem only. Look at it there, crux.eval(expr), and at "
                f"their coordinates, crux.eval({node.points.axes[0]})."
            )
    known = dict(zip(compiled.program.points, state.points, strict=True))
    unseen = [points for points in needed if points not in arrays and points not in known]
    arrays |= {points: points.plan.init(jax.random.key(0))[0] for points in unseen}
    program = replace(
        compiled.program,
        entries=(Canonical(compiled.cells)(expr),),
        losses=(),
        loss_names=(),
        trackers=(),
        points=needed,
        noises=tuple(dict.fromkeys((*compiled.program.noises, *noises_of(found)))),
    )
    placement = Placement(scale or Scale(), compiled.program.points)
    given = placement.copies(arrays)
    here = tuple(points for points in needed if points not in given)
    at = [given[points] if points in given else known[points] for points in needed]
    drawn = chance(compiled.program, state)
    measured = any(node.kind in MEASURED for node in found)
    masks = masks_of(program, [one.group for one in attached(compiled)]) if measured else None
    value = placement.local(_value(program, placement, here, masks, state.params, at, state.weights, drawn))
    return value.reshape(shape + expr.shape) if shape is not None and expr.points in arrays else value


def _together(expr: Expr, arrays: dict[PointSet, Array]) -> tuple[Expr, dict[PointSet, Array]]:
    """The expression at one point set that has all given coordinates as axes, where symbols are among them."""
    sets = tuple(arrays)
    if expr.points not in sets or len(sets) == 1 or not any(points.symbolic for points in sets):
        return expr, arrays
    joined = _joined(sets)
    old = [(points, axis) for points in sets for axis in range(len(points.axes))]
    moved = {
        Expr("coordinate", (), where): Expr("coordinate", (), (joined, k))
        for k, where in enumerate(old)
        if where in expr.depends
    }
    return expr.at(moved), {joined: jnp.concatenate([arrays[points] for points in sets], axis=1)}


@lru_cache(maxsize=64)
def _joined(sets: tuple[PointSet, ...]) -> PointSet:
    return PointSet(tuple(axis for points in sets for axis in points.axes), "given points", 0, None)


def _at_points(expr: Expr, values: Mapping[Expr, Any] | None) -> Expr:
    """An expression that lives on no points yet, at those whose coordinates are given."""
    keys = [key for key in values or () if isinstance(key, Expr) and key.kind == "coordinate"]
    found = bound(expr, keys[0].points) if keys else expr
    if found.points is not None and found.points.free:
        raise unbound(found)
    return found


def _given(expr: Expr, values: Mapping[Expr, Any]) -> tuple[dict[PointSet, Array], tuple[int, ...]]:
    if not isinstance(values, Mapping):
        raise ExpressionError(
            f"points are given as a dict from coordinates to values, {{x: xs, t: ts}}; got {values!r}."
        )
    for coordinate in values:
        if not (isinstance(coordinate, Expr) and coordinate.kind == "coordinate"):
            raise ExpressionError(f"the keys of the points are coordinates, {{x: xs, t: ts}}; got {coordinate!r}.")
    sets = tuple(dict.fromkeys(coordinate.data[0] for coordinate in values))
    columns = [jnp.asarray(value, jnp.result_type(float)) for value in values.values()]
    try:
        shape = jnp.broadcast_shapes(*(column.shape for column in columns))
    except ValueError:
        shapes = ", ".join(f"{text(key)}: {column.shape}" for key, column in zip(values, columns, strict=True))
        raise ExpressionError(f"the values of the coordinates do not broadcast: {shapes}.") from None
    for key, column in zip(values, columns, strict=True):
        if not bool(jnp.all(jnp.isfinite(column))):
            raise ExpressionError(f"the values given for {text(key)} are not all finite.")
    by_name = {key.data: jnp.broadcast_to(column, shape).ravel() for key, column in zip(values, columns, strict=True)}
    arrays = {}
    for points in sets:
        used = {axis for where, axis in _coordinates(expr) if where is points}
        for axis in used:
            if (points, axis) not in by_name:
                raise ExpressionError(
                    f"`{text(expr)}` depends on {points.axes[axis]} too: give its values, for example "
                    f"{{..., {points.axes[axis]}: 0.0}}."
                )
        filler = next(iter(by_name.values()))
        arrays[points] = jnp.stack(
            [by_name.get((points, axis), jnp.zeros_like(filler)) for axis in range(len(points.axes))], axis=1
        )
    missing = [points for points in ([expr.points] if expr.points else []) if points not in arrays]
    if missing:
        raise ExpressionError(
            f"`{text(expr)}` lives on {missing[0]!r}: give values for its own coordinates "
            f"{', '.join(missing[0].axes)}, not for those of {next(iter(sets), None)!r}."
        )
    return arrays, shape


def _coordinates(expr: Expr) -> frozenset[tuple[PointSet, int]]:
    """The coordinates whose values matter: those it depends on, and those under what runs over points inside it."""
    reduced = [arg.depends for node in nodes([expr]) if node.kind in ("reduce", *MEASURED) for arg in node.args]
    return expr.depends.union(*reduced)
