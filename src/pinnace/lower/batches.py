"""Losses over more points than fit at once: reductions in batches, in one loop for each point set.

A step is a function of its reductions. Each loop adds up what all reductions over one set need to know, batch by batch,
and recomputes a batch when gradients are taken, so that memory is that of one batch. A reduction inside another
(`(u - u.mean).mse`) is made in a loop before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from pinnace.expr import Expr, PointSet, nodes
from pinnace.expr.text import postorder
from pinnace.lower import reduce
from pinnace.lower.evaluate import evaluate
from pinnace.lower.given import Given
from pinnace.lower.require import Plan, require


@lru_cache(maxsize=256)
def planned(roots: tuple[Expr, ...], known: frozenset[Expr] = frozenset()) -> Plan:
    """The plan of some roots; it is asked for again whenever something is traced."""
    return require(roots, known)


def evaluate_in_batches(roots: Sequence[Expr], given: Given) -> list[Any]:
    """The values of expressions, everything that they share computed once; in batches where sets are large."""
    if given.microbatch is not None:
        for level in _levels(roots, given):
            for points, together in level.items():
                inside = tuple(_whole(together, given))
                given = _knowing(given, inside, _values(inside, given))
                given = _knowing(given, together, _looped(points, together, given))
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


def _levels(roots: Sequence[Expr], given: Given) -> list[dict[PointSet, list[Expr]]]:
    """The reductions over large sets, by their set; those first that others contain."""
    depth: dict[Expr, int] = {}
    levels: list[dict[PointSet, list[Expr]]] = []
    for node in nodes(roots):
        depth[node] = max((depth[arg] for arg in node.args), default=0)
        points = reduce.set_of(node) if node.kind == "reduce" else None
        if points is not None and batches(_size(points, given), given.microbatch) > 1:
            levels.extend({} for _ in range(depth[node] + 1 - len(levels)))
            levels[depth[node]].setdefault(points, []).append(node)
            depth[node] += 1
    return levels


def _whole(together: Sequence[Expr], given: Given) -> Iterable[Expr]:
    """What has one value in all inside some reductions, and is not known: weights, and reductions over small sets."""

    def below(node: Expr) -> tuple[Expr, ...]:
        return () if node.kind in ("reduce", "weight") else node.args

    inside = postorder([arg for node in together for arg in node.args], below)
    return (node for node in inside if node.kind in ("reduce", "weight") and node not in given.known)


def _looped(points: PointSet, together: Sequence[Expr], given: Given) -> list[Any]:
    """The values of some reductions over one set, in one loop over its batches.

    Batch j takes the points j, j + turns, ...: where points are spread over devices, so is every batch.
    """
    array, count = given.points[points], _size(points, given)
    turns = batches(count, given.microbatch)
    rows = -(-len(array) // turns)
    if rows * turns > len(array):
        array = array[jnp.arange(rows * turns) % len(array)]
    args = tuple(dict.fromkeys(arg for node in together for arg in node.args))
    plan = planned(args, frozenset(given.known))

    @partial(jax.checkpoint, prevent_cse=False)
    def turn(_: None, batch: Any) -> tuple[None, Any]:
        number, some = batch
        chance = None if given.chance is None else jax.random.fold_in(given.chance, number)
        values = evaluate(plan, replace(given, points={**given.points, points: some}, grids={}, chance=chance))
        at = dict(zip(args, values, strict=True))
        real = jnp.arange(rows) * turns + number < count
        return None, [reduce.some(node, [at[arg] for arg in node.args], real) for node in together]

    split = jnp.moveaxis(array.reshape(rows, turns, -1), 1, 0)
    _, parts = lax.scan(turn, None, (jnp.arange(turns), split))
    return [reduce.joined(node, found, count) for node, found in zip(together, parts, strict=True)]
