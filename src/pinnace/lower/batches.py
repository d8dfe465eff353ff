"""Losses over more points than fit at once: reductions in batches, in one loop for each point set.

A step is a function of its reductions. Each loop adds up what all reductions over one set need to know, batch by batch,
and recomputes a batch when gradients are taken, so that memory is that of one batch. A reduction inside another
(`(u - u.mean).mse`) is made in a loop before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from pinnace.expr import MEASURED, Expr, PointSet
from pinnace.expr.text import postorder
from pinnace.lower import reduce
from pinnace.lower.evaluate import evaluate, weighed
from pinnace.lower.given import Given
from pinnace.lower.require import Plan, require

ONCE = ("reduce", "weight", *MEASURED)
"""Kinds with one value in all that no loop over batches makes: weights, measurements, reductions over small sets."""


@lru_cache(maxsize=256)
def planned(roots: tuple[Expr, ...], known: frozenset[Expr] = frozenset()) -> Plan:
    """The plan of some roots; it is asked for again whenever something is traced."""
    return require(roots, known)


def evaluate_in_batches(roots: Sequence[Expr], given: Given) -> list[Any]:
    """The values of expressions, everything that they share computed once; in batches where sets are large."""
    if given.microbatch is not None:
        given = _prepared(roots, given)
    return _values(tuple(roots), given)


def batches(count: int, microbatch: int | None) -> int:
    """How many batches a set of so many points makes."""
    return 1 if microbatch is None else -(-count // microbatch)


def _values(roots: tuple[Expr, ...], given: Given) -> list[Any]:
    return evaluate(planned(roots, frozenset(given.known)), given)


def _knowing(given: Given, found: Sequence[Expr], values: Sequence[Any]) -> Given:
    return replace(given, known={**given.known, **dict(zip(found, values, strict=True))})


def _size(points: PointSet, given: Given) -> int:
    return given.counts.get(points, len(given.points[points]))


def at_points(expr: Expr, given: Given) -> Array:
    """The values of an expression at all points of its set, one row each; in batches where that is large."""
    return all_at_points([expr], given)[0]


def all_at_points(exprs: Sequence[Expr], given: Given) -> list[Array]:
    """The same of several expressions: those over small sets together, those over each large one in one loop."""
    large: dict[PointSet, list[Expr]] = {}
    for expr in exprs:
        if expr.points is not None and batches(_size(expr.points, given), given.microbatch) > 1:
            large.setdefault(expr.points, []).append(expr)
    small = [expr for expr in exprs if expr.points not in large]
    found = dict(zip(small, evaluate_in_batches(small, given), strict=True)) if small else {}
    for points, together in large.items():
        prepared = _prepared(together, given)
        found.update(zip(together, _run(points, [(expr, HERE) for expr in together], prepared), strict=True))
    return [found[expr] for expr in exprs]


def _prepared(roots: Sequence[Expr], given: Given) -> Given:
    """Knowing all that runs over a large set below the roots."""
    for level in _levels(roots, given):
        for points, together in level.items():
            given = _knowing(given, together, _run(points, [(node, OVER[node.kind]) for node in together], given))
    return given


def _levels(roots: Sequence[Expr], given: Given) -> list[dict[PointSet, list[Expr]]]:
    """What runs over large sets, by their set: reductions and point weights; those first that others contain."""
    depth: dict[Expr, int] = {}
    levels: list[dict[PointSet, list[Expr]]] = []
    for node in postorder(roots, lambda node: () if node.kind in MEASURED else node.args):
        depth[node] = max((depth.get(arg, 0) for arg in node.args), default=0)
        points = (reduce.set_of(node) or node.points) if node.kind in OVER else None
        if points is not None and batches(_size(points, given), given.microbatch) > 1:
            levels.extend({} for _ in range(depth[node] + 1 - len(levels)))
            levels[depth[node]].setdefault(points, []).append(node)
            depth[node] += 1
    return levels


def _whole(args: Sequence[Expr], given: Given) -> Iterable[Expr]:
    """What has one value in all inside some expressions, and is not known: those of ONCE that no loop has made."""

    def below(node: Expr) -> tuple[Expr, ...]:
        return () if node.kind in ONCE or node in given.known else node.args

    return (node for node in postorder(args, below) if node.kind in ONCE and node not in given.known)


@dataclass(frozen=True)
class Over:
    """What runs over the points of a set: what it sees, what a batch of them says, and what all batches make."""

    seen: Callable[[Expr], tuple[Expr, ...]]
    some: Callable[[Expr, Sequence[Array], Any], Any]
    whole: Callable[[Expr, Any, int, Given], Any]


def _as_they_are(node: Expr, values: Sequence[Array], real: Any) -> Sequence[Array]:
    return values


def _all_here(node: Expr, parts: Sequence[Array], count: int, given: Given) -> Array:
    """Values of batches, `[turns, rows, ...]`, in the order of the points."""
    assert node.points is not None
    in_order = jnp.moveaxis(parts[0], 0, 1).reshape(-1, *parts[0].shape[2:])
    return in_order[: len(given.points[node.points])]


def _all_weighed(node: Expr, parts: Sequence[Array], count: int, given: Given) -> Array:
    return weighed(node, [lax.stop_gradient(_all_here(node, [part], count, given)) for part in parts], given)


OVER = {
    "reduce": Over(
        lambda node: node.args, reduce.some, lambda node, parts, count, given: reduce.joined(node, parts, count)
    ),
    "point weight": Over(lambda node: node.args, _as_they_are, _all_weighed),
}
HERE = Over(lambda node: (node,), _as_they_are, _all_here)
"""Any other expression: its value at all points."""


def _run(points: PointSet, together: Sequence[tuple[Expr, Over]], given: Given) -> list[Any]:
    """The values of what runs over one set, in one loop over its batches.

    Batch j takes the points j, j + turns, ...: where points are spread over devices, so is every batch.
    """
    args = tuple(dict.fromkeys(arg for node, over in together for arg in over.seen(node)))
    inside = tuple(_whole(args, given))
    given = _knowing(given, inside, _values(inside, given))
    array, count = given.points[points], _size(points, given)
    turns = batches(count, given.microbatch)
    rows = -(-len(array) // turns)
    plan = planned(args, frozenset(given.known))
    local = [node for node in given.known if node.points is points]

    def split(array: Array) -> Array:
        if rows * turns > len(array):
            array = array[jnp.arange(rows * turns) % len(array)]
        return jnp.moveaxis(array.reshape(rows, turns, *array.shape[1:]), 1, 0)

    @partial(jax.checkpoint, prevent_cse=False)
    def turn(_: None, batch: Any) -> tuple[None, Any]:
        number, some, own = batch
        chance = None if given.chance is None else jax.random.fold_in(given.chance, number)
        here = replace(given, points={**given.points, points: some}, grids={}, chance=chance)
        values = evaluate(plan, _knowing(here, local, own))
        at = dict(zip(args, values, strict=True))
        real = jnp.arange(rows) * turns + number < count
        return None, [over.some(node, [at[arg] for arg in over.seen(node)], real) for node, over in together]

    known = [split(given.known[node]) for node in local]
    _, parts = lax.scan(turn, None, (jnp.arange(turns), split(array), known))
    return [over.whole(node, found, count, given) for (node, over), found in zip(together, parts, strict=True)]
