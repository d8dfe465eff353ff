"""One step, exactly: points, losses, balancers, gradient, rates, updates, log. Everything is inside."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from operator import add, and_
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Bool, Float, PyTree

from pinnace.lower import Given
from pinnace.schedule import LossValues
from pinnace.step.arithmetic import in_precision
from pinnace.step.measured import signals_of
from pinnace.step.moves import Moves, Weights, held
from pinnace.step.operate import combined, summed
from pinnace.step.positions import moved_points
from pinnace.step.recipe import Recipe, key_of
from pinnace.step.state import State, clean, like
from pinnace.step.vantage import masks_of, measuring


class Row(eqx.Module):
    """What is logged of one step: values at the parameters before the update."""

    total: Float[Array, ""]
    losses: Float[Array, " losses"]
    rates: tuple[Float[Array, ""], ...]
    """The rate of each group that has a schedule."""
    trackers: tuple[Array, ...]


class Seen(eqx.Module):
    """What one forward pass gives beside what is differentiated."""

    total: Float[Array, ""]
    entries: Array
    losses: Array
    weights: tuple[Array, ...]
    cells: tuple[PyTree, ...]
    trackers: tuple[Array, ...]
    """Those that log every step, and look at points only."""


def advance(recipe: Recipe, numbers: PyTree, state: State) -> tuple[State, Row, Bool[Array, ""]]:
    """The state after one step, what it logs, and whether all its losses were finite."""
    return in_precision(recipe.scale.precision)(partial(_advance, recipe))(numbers, state)


def _advance(recipe: Recipe, numbers: PyTree, state: State) -> tuple[State, Row, Bool[Array, ""]]:
    program, placement = recipe.program, recipe.placement
    cell_numbers, rate_numbers, surgery_numbers = numbers
    root = jax.random.wrap_key_data(state.key)
    points, samplers = moved_points(recipe, state, root)
    trained = tuple(group.trained(state.params) for group in recipe.groups)

    def given(trained: tuple[PyTree, ...], weights: Weights) -> Given:
        return recipe.given(recipe.put(state.params, trained), points, weights, state)

    signals = signals_of(recipe, cell_numbers, state, root, trained, given)

    def entries_of(trained: tuple[PyTree, ...]) -> tuple[list[Array], Seen]:
        moves = Moves(recipe, cell_numbers, state.cells, signals)
        return _forward(recipe, given(trained, moves), moves)

    if recipe.surgery is None:
        seen, gradients = summed(entries_of, trained)
        operated = state.surgery
    else:
        key = key_of(root, len(program.points) + len(program.cells) + 1, state)
        seen, gradients, operated = combined(recipe.surgery, surgery_numbers, entries_of, trained, state, key)
    total = seen.total

    within = [tracker.name for tracker in program.trackers if tracker.stage == "within"]
    tracked = dict(zip(within, seen.trackers, strict=True))
    tracked |= _trackers(recipe, "beside", state, points, seen)
    raw = dict(zip(program.loss_names, seen.losses, strict=True))
    values = LossValues(seen.entries, raw, total, _scalars(recipe, state, tracked, total.dtype))
    params, optimizers, rates, logged = _updated(recipe, rate_numbers, state, points, trained, gradients, seen, values)
    tracked |= _trackers(recipe, "after", state, points, seen, params)
    trackers = tuple(tracked[tracker.name] for tracker in program.trackers)
    row = placement.whole(Row(total, seen.losses, logged, trackers))
    finite = _finite(seen, logged) & clean(state.cells, seen.cells)
    after = State(
        params=params,
        optimizers=optimizers,
        counts=tuple(count + 1 for count in state.counts),
        rates=rates,
        cells=seen.cells,
        weights=like(seen.weights, state.weights, "the balancers"),
        points=points,
        samplers=samplers,
        damping=state.damping,
        surgery=operated,
        key=state.key,
        step=state.step + 1,
    )
    return placement.held(after), row, finite


def _finite(seen: Seen, rates: Sequence[Array]) -> Bool[Array, ""]:
    """Whether everything is that decides about the update, gradients left out: these show in the next losses."""
    decisive = [seen.total, seen.losses, *seen.weights, *rates]
    return reduce(and_, [jnp.all(jnp.isfinite(values)) for values in decisive])


def _updated(
    recipe: Recipe,
    numbers: Sequence[Any],
    state: State,
    points: Sequence[Array],
    trained: Sequence[PyTree],
    gradients: Sequence[PyTree],
    seen: Seen,
    values: LossValues,
) -> tuple[Any, tuple[PyTree, ...], tuple[PyTree, ...], tuple[Array, ...]]:
    """Parameters, optimizers and schedules after the step, and the rates that there were."""
    params, optimizers, rates, logged = state.params, [], [], []
    for k, group in enumerate(recipe.groups):
        rate, rate_state = _rate(recipe, numbers, k, state, values)
        value_of, residuals_of = _held_functions(recipe, state, points, seen.weights, k)
        updates, moments = group.tx.update(
            gradients[k],
            state.optimizers[k],
            trained[k],
            value=seen.total,
            grad=gradients[k],
            value_fn=value_of,
            residual_fn=residuals_of,
        )
        scale = state.damping if rate is None else state.damping * rate
        updates = jax.tree.map(lambda update, scale=scale: (scale * update).astype(update.dtype), updates)
        logged += [] if rate is None else [scale]
        params = group.put(params, like(optax.apply_updates(trained[k], updates), trained[k], "the optimizer"))
        optimizers.append(like(moments, state.optimizers[k], "the optimizer"))
        rates.append(rate_state)
    return params, tuple(optimizers), tuple(rates), tuple(logged)


def _forward(recipe: Recipe, given: Given, moves: Moves) -> tuple[list[Array], Seen]:
    """One pass: the entries, to be differentiated; all raw losses, and what is tracked each step. Every cell moves."""
    program = recipe.program
    tracked = [tracker.expr for tracker in program.trackers if tracker.stage == "within"]
    real = recipe.placement.real
    watched = [loss for losses in program.cells for loss in losses]
    values = program.evaluate([*program.entries, *program.losses, *tracked, *watched], given)
    split = [len(program.entries), len(program.losses), len(tracked), len(watched)]
    entries, losses, trackers, watched_values = _cut(values, split)
    rest = iter(watched_values)
    for number, below in enumerate(program.cells):
        moves(number, [real(expr.points, next(rest)) for expr in below])
    weights, cells = moves.results()
    total = reduce(add, entries)
    losses_at_once = jnp.stack([jnp.asarray(loss, total.dtype) for loss in losses])
    rows = tuple(real(expr.points, value) for expr, value in zip(tracked, trackers, strict=True))
    seen = Seen(total, jnp.stack(entries), losses_at_once, weights, cells, rows)
    return entries, lax.stop_gradient(seen)


def _cut(values: Sequence[Any], lengths: Sequence[int]) -> list[list[Any]]:
    found, start = [], 0
    for length in lengths:
        found.append(list(values[start : start + length]))
        start += length
    return found


def _rate(recipe: Recipe, numbers: Sequence[Any], k: int, state: State, values: LossValues) -> tuple[Any, PyTree]:
    static = recipe.schedules[k]
    if static is None:
        return None, state.rates[k]
    schedule = eqx.combine(numbers[k], static.tree)
    rate, after = schedule.update(state.counts[k], values, state.rates[k])
    return rate, like(after, state.rates[k], "the learning rate")


def _held_functions(
    recipe: Recipe, state: State, points: Sequence[Array], weights: Sequence[Array], k: int
) -> tuple[Callable[[PyTree], Array], Callable[[PyTree], Array]]:
    """The total and the residual vector as functions of what one optimizer trains; everything else stays."""
    group, program = recipe.groups[k], recipe.program

    def given(trained: PyTree) -> Given:
        return recipe.given(group.put(state.params, trained), points, held(weights), state)

    def value_of(trained: PyTree, residual_fn: Any = None) -> Array:
        # optax's line searches insist that value_fn takes every extra argument of update
        entries = program.evaluate(program.entries, given(trained))
        return reduce(add, entries)

    return value_of, lambda trained: program.residuals(given(trained))


def _trackers(
    recipe: Recipe, stage: str, state: State, points: Sequence[Array], seen: Seen, after: Any = None
) -> dict[str, Array]:
    """The trackers of a stage by name; the rarer ones are computed at their steps only, zeros between."""
    program, real = recipe.program, recipe.placement.real
    found: dict[str, Array] = {}
    due = [tracker for tracker in program.trackers if tracker.stage == stage]
    for every in sorted({tracker.every for tracker in due}):
        rare = [tracker for tracker in due if tracker.every == every]

        def compute(rare: Any = rare) -> list[Array]:
            def given(params: Sequence[PyTree]) -> Given:
                return recipe.given(params, points, held(seen.weights), state)

            at = measuring(program, masks_of(program, recipe.groups), state.params, given, after)
            values = program.evaluate([tracker.expr for tracker in rare], at)
            return [real(tracker.expr.points, value) for tracker, value in zip(rare, values, strict=True)]

        if every == 1:
            values = compute()
        else:
            shapes = jax.eval_shape(compute)
            zeros = [jnp.zeros(shape.shape, shape.dtype) for shape in shapes]
            values = lax.cond(state.step % every == 0, compute, lambda zeros=zeros: zeros)
        found.update(zip([tracker.name for tracker in rare], values, strict=True))
    return found


def _scalars(recipe: Recipe, state: State, values: Mapping[str, Array], dtype: Any) -> dict[str, Array]:
    """The trackers that a rate may look at, by name; NaN at steps where they are not computed."""
    known = [(tracker, values[tracker.name]) for tracker in recipe.program.trackers if tracker.name in values]
    return {
        tracker.name: jnp.where(state.step % tracker.every == 0, value.astype(dtype), jnp.nan)
        for tracker, value in known
        if value.shape == () and not jnp.iscomplexobj(value)
    }
