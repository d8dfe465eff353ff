"""Panels of dots over one, two or three coordinates."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnace.domain import Plan, Shape
from pinnace.expr import Expr
from pinnace.plot.labels import name_axis
from pinnace.plot.panels import LONG

MARKERS = "osD^vP*X"


def ordered(keys: Sequence[Expr]) -> list[Expr]:
    """The coordinates to the right and up: time to the right, as in images; three of them as they are."""
    return sorted(keys, key=lambda key: not _is_time(key)) if len(keys) == 2 else list(keys)


def space_of(key: Expr) -> Shape | None:
    """The shape that a coordinate is one of; None for time, parameters and data."""
    plan = key.data[0].plan
    return plan.domain.shape if isinstance(plan, Plan) and key.data[1] < plan.domain.shape.dim else None


def name_axes(panel: Any, keys: Sequence[Expr], columns: Sequence[np.ndarray]) -> None:
    """Names at the axes, few ticks, and one scale for lengths of one space."""
    solid = len(keys) == 3
    writers = [panel.set_xlabel, panel.set_ylabel, *([panel.set_zlabel] if solid else [])]
    for write, key in zip(writers, keys, strict=False):
        name_axis(write, key)
    for axis in "xyz"[: len(keys)]:
        panel.locator_params(axis=axis, nbins=4 if solid else 5)
    if solid:
        panel.set_box_aspect(None, zoom=0.85)  # else labels are cut off
    if len(keys) > 1 and all(space_of(key) is not None for key in keys) and ratio_of(columns):
        panel.set_aspect("equal")


def ratio_of(columns: Sequence[np.ndarray]) -> float:
    """Height over width of columns of lengths; 0 where that is too long to be drawn as it is."""
    spans = [float(np.ptp(column)) for column in columns]
    return spans[1] / spans[0] if min(spans) > 0 and max(spans) <= LONG * min(spans) else 0.0


def _is_time(key: Expr) -> bool:
    points, axis = key.data
    span = points.plan.domain.span if isinstance(points.plan, Plan) else None
    return span is not None and points.axes[axis] == span.name
