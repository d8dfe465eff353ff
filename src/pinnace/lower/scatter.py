"""Random directions, along which Laplacians are estimated."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from pinnace.expr import Expr
from pinnace.lower.frame import Frame
from pinnace.lower.given import Given
from pinnace.lower.jet import Jet
from pinnace.lower.terms import Asked, MultiIndex


def scattered(node: Expr, base: Jet, terms: Sequence[Asked], frame: Frame, given: Given) -> Jet:
    """A coordinate whose slopes along random directions are the components of these."""
    axis, rows = node.data[1], len(given.points[node.data[0]])
    value = jnp.broadcast_to(base.value, (rows,))
    parts: dict[Any, Any] = {
        term: part if part.ndim == 0 else part[:, axis] for term, part in slopes(axis, terms, frame, given, value.dtype)
    }
    return Jet(value, parts, True)


def slopes(
    axis: int | None, terms: Sequence[Asked], frame: Frame, given: Given, dtype: Any
) -> Iterator[tuple[Asked, Any]]:
    """For each first derivative: the random directions `[n, axes]`, or 1 along a coordinate's own axis."""
    drawn = None
    for term in terms:
        if not isinstance(term, MultiIndex) or term.order != 1:
            continue
        place = term.counts.index(1)
        first = frame.axes - frame.samples
        if place >= first:
            drawn = _directions(frame, given).astype(dtype) if drawn is None else drawn
            yield term, drawn[:, place - first]
        elif place == axis:
            yield term, np.ones((), dtype)


def _directions(frame: Frame, given: Given) -> Array:
    """The random directions of a frame at each point, `[n, samples, axes]`; 0 along axes that they leave out."""
    assert frame.scattered is not None and frame.points is not None
    axes = np.array([coordinate.data[1] for coordinate in frame.scattered.args[1:]])
    key = jax.random.fold_in(given.chance, given.noises[frame.scattered.data[0]])
    drawn = jax.random.rademacher(key, (len(given.points[frame.points]), frame.samples, len(axes)), float)
    whole = len(frame.points.axes)
    return drawn if axes.tolist() == list(range(whole)) else drawn @ np.eye(whole)[axes].astype(drawn.dtype)
