"""Integrals as sums over nodes: many side by side, in turns where they are many, so that memory stays bounded."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from pinnace.expr import Expr
from pinnace.lower.frame import Frame
from pinnace.lower.given import Given
from pinnace.lower.jet import Jet

ROOM = 1 << 14
"""Points times nodes that are evaluated side by side; beyond, in turns that the backward pass computes again."""

Nodes = Float[np.ndarray, "nodes coordinates"]
Inside = Callable[[Sequence[Jet], Given], Jet]
"""What is integrated, for values of the coordinates."""


@lru_cache(maxsize=64)
def gauss(count: int) -> tuple[Nodes, Float[np.ndarray, " nodes"]]:
    """Nodes and weights of Gauss and Legendre's rule on [0, 1]: exact for polynomials of degree 2 count - 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes[:, None] + 1) / 2, weights / 2


def rule(how: str, count: int, *told: Any) -> tuple[Nodes, Float[np.ndarray, " nodes"]]:
    """Nodes and weights, as the data of an integral tell them."""
    if how == "gauss":
        return gauss(count)
    _, measure, *columns = told
    return np.stack(columns, axis=1), np.full(count, measure / count)


def abscissa(node: Expr, args: Sequence[Jet], terms: Any, frame: Frame, given: Given) -> Jet:
    """The middle of the limits, where nobody asks for more than what it costs to be there."""
    return _between(*args, 0.5)


def _between(low: Jet, high: Jet, share: Any) -> Jet:
    value = low.value + (high.value - low.value) * share
    return Jet(jnp.asarray(value), {}, low.batched or high.batched)


def integrated(node: Expr, inside: Inside, ends: Sequence[Jet], frame: Frame, given: Given) -> Jet:
    """The value of an integral; `ends` are all lower limits, then all upper ones."""
    nodes, weights = rule(*node.data)
    lows, highs = ends[: len(ends) // 2], ends[len(ends) // 2 :]
    dtype = jnp.result_type(*(jet.value for jet in ends), float)
    side = max(1, ROOM // (given.lanes * _rows(frame, given)))
    turns = -(-len(nodes) // side)
    side = -(-len(nodes) // turns)
    here = replace(given, lanes=given.lanes * side)

    def at_node(shares: Float[Array, " coordinates"]) -> Jet:
        abscissas = [_between(low, high, share) for low, high, share in zip(lows, highs, shares, strict=True)]
        found = inside(abscissas, here)
        return Jet(jnp.asarray(found.value), {}, found.batched)

    def some(shares: Float[Array, "side coordinates"], weights: Float[Array, " side"]) -> Jet:
        found = jax.vmap(at_node)(shares)
        return replace(found, value=_summed(found.value, weights))

    if turns == 1:
        total = some(jnp.asarray(nodes, dtype), jnp.asarray(weights, dtype))
    else:
        total = _in_turns(some, nodes, weights, turns, dtype)
    spans = [high.value - low.value for low, high in zip(lows, highs, strict=True)]
    batched = any(jet.batched for jet in ends)
    span = jnp.asarray(prod(spans[1:], start=spans[0]), dtype)
    wide = span.reshape(-1, *(1,) * len(node.shape)) if batched else span
    return Jet(total.value * wide, {}, total.batched or batched)


def _in_turns(some: Callable[..., Jet], nodes: Nodes, weights: np.ndarray, turns: int, dtype: Any) -> Jet:
    """The sum in turns of equal length; nodes that only fill up the last one count for nothing."""
    side = -(-len(nodes) // turns)
    places = np.arange(turns * side) % len(nodes)
    real = np.arange(turns * side) < len(nodes)
    shares = jnp.asarray(nodes[places].reshape(turns, side, -1), dtype)
    parts = jnp.asarray((weights[places] * real).reshape(turns, side), dtype)

    @partial(jax.checkpoint, prevent_cse=False)
    def turn(_: None, part: Any) -> tuple[None, Jet]:
        return None, some(*part)

    _, found = lax.scan(turn, None, (shares, parts))
    return replace(found, value=jnp.sum(found.value, axis=0))


def _summed(values: Float[Array, "side ..."], weights: Float[Array, " side"]) -> Array:
    """The weighted sum; no matrix product, which a precision for networks would round."""
    return jnp.sum(values * weights.reshape(-1, *(1,) * (values.ndim - 1)), axis=0)


def _rows(frame: Frame, given: Given) -> int:
    """At how many points an integral is asked for."""
    while frame.outer is not None:
        frame = frame.outer
    return 1 if frame.points is None else len(given.points[frame.points])
