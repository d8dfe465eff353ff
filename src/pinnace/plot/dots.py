"""Which coordinates are drawn where, and which of them are lengths."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnace import canvas
from pinnace.domain import Shape
from pinnace.expr import Expr


def ordered(keys: Sequence[Expr]) -> list[Expr]:
    """The coordinates to the right and up: time to the right, as in images; three of them as they are."""
    return sorted(keys, key=lambda key: not _is_time(key)) if len(keys) == 2 else list(keys)


def space_of(key: Expr) -> Shape | None:
    """The shape that a coordinate is one of; None for time, parameters and data."""
    points, axis = key.data
    return points.where.shape if points.where is not None and axis < points.where.shape.dim else None


def are_lengths(keys: Sequence[Expr]) -> bool:
    """Whether all coordinates are those of space."""
    return all(space_of(key) is not None for key in keys)


def name_axes(panel: Any, keys: Sequence[Expr], columns: Sequence[np.ndarray]) -> None:
    """Names at the axes, few ticks, and one scale for lengths of one space."""
    canvas.name_axes(panel, keys, columns, are_lengths(keys))


def _is_time(key: Expr) -> bool:
    points, axis = key.data
    span = None if points.where is None else points.where.span
    return span is not None and points.axes[axis] == span.name
