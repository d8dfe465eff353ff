"""Panels of dots over one, two or three coordinates, with outlines and arrows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pinnace.canvas.figures import COLOURS
from pinnace.canvas.labels import name_axis, plain
from pinnace.expr import Expr

MARKERS = "osD^vP*X"
"""Of one set after the other."""
LONG = 4.0
"""Up to which ratio of its sides a panel shows lengths as they are."""
ARROWS = 40
"""Normals that there is room for."""
LENGTH = 0.08
"""How long an arrow is, over the width of what is drawn."""


@dataclass(frozen=True)
class Dots:
    """Points of one kind."""

    label: str
    values: Float[np.ndarray, "n axes"]
    """Their coordinates to the right, up, and in space to the back."""
    small: bool = False
    """Whether they are many, and lie below the others."""
    colour: str | None = None
    """Another colour than that of their number."""


def strip(panel: Any, sets: Sequence[Dots], key: Expr) -> None:
    """One coordinate: a row for each set."""
    for k, one in enumerate(sets):
        column = one.values[:, 0]
        colour = one.colour or COLOURS[k % len(COLOURS)]
        panel.plot(column, np.full(len(column), -k), "|" if len(column) > 2 else "o", color=colour)
    panel.set_yticks(-np.arange(len(sets)), [plain(one.label) for one in sets])
    panel.set_ylim(0.5 - len(sets), 0.5)
    name_axis(panel.set_xlabel, key)


def scatter(panel: Any, sets: Sequence[Dots], keys: Sequence[Expr], equal: bool) -> None:
    """Two or three coordinates: a colour and a marker for each set; `equal` where both are lengths in one space."""
    for k, one in enumerate(sets):
        panel.scatter(
            *one.values.T,
            s=6 if one.small else 14,
            color=one.colour or COLOURS[k % len(COLOURS)],
            marker=MARKERS[k % len(MARKERS)],
            linewidths=0,
            label=plain(one.label),
            zorder=2 if one.small else 3,
        )
    name_axes(panel, keys, list(np.concatenate([one.values for one in sets]).T), equal)
    panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize="small", handletextpad=0.1)


def name_axes(panel: Any, keys: Sequence[Expr], columns: Sequence[np.ndarray], equal: bool) -> None:
    """Names at the axes, few ticks, and one scale for lengths of one space."""
    solid = len(keys) == 3
    writers = [panel.set_xlabel, panel.set_ylabel, *([panel.set_zlabel] if solid else [])]
    for write, key in zip(writers, keys, strict=False):
        name_axis(write, key)
    for axis in "xyz"[: len(keys)]:
        panel.locator_params(axis=axis, nbins=4 if solid else 5)
    if solid:
        panel.set_box_aspect(None, zoom=0.85)  # else labels are cut off
    if len(keys) > 1 and equal and ratio_of(columns):
        panel.set_aspect("equal")


def ratio_of(columns: Sequence[np.ndarray]) -> float:
    """Height over width of columns of lengths; 0 where that is too long to be drawn as it is."""
    spans = [float(np.ptp(column)) for column in columns]
    return spans[1] / spans[0] if min(spans) > 0 and max(spans) <= LONG * min(spans) else 0.0


def height_of(columns: Sequence[np.ndarray], sets: int, equal: bool) -> float:
    """Inches of a panel, with a legend of so many sets."""
    if len(columns) == 1:
        return 0.8 + 0.4 * sets
    ratio = ratio_of(columns) if equal and len(columns) == 2 else 0.0
    return 0.8 + 0.2 * sets + (4.0 * ratio if ratio else 3.0)


def outline(
    panel: Any,
    bounds: Sequence[tuple[float, float]],
    distance: Callable[[Any], Any],
) -> None:
    """The boundary of a shape in the plane, where its signed distance is zero."""
    rooms = [0.02 * (high - low) for low, high in bounds]
    lines = [np.linspace(low - room, high + room, 301) for (low, high), room in zip(bounds, rooms, strict=True)]
    grid = np.stack(np.meshgrid(*lines, indexing="xy"), axis=-1)
    found = np.asarray(distance(grid.reshape(-1, 2))).reshape(grid.shape[:2])
    panel.contour(*lines, found, levels=[0], colors=["0.4"], linewidths=0.8, zorder=1)


def some_of(values: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "k d"]:
    """Points that arrows start at: they come in an order of their own, so that every other one may be on one half."""
    return np.random.default_rng(0).permutation(values)[:ARROWS]


def arrows(panel: Any, feet: Float[np.ndarray, "n axes"], along: Float[np.ndarray, "n axes"], equal: bool) -> None:
    """Arrows of unit normals, in two or three dimensions; each axis in its own measure unless they are `equal`."""
    spans = np.ptp(feet, axis=0)
    steps = LENGTH * along * (spans.max() if equal else np.where(spans > 0, spans, 1))
    if feet.shape[1] == 3:
        panel.quiver(*feet.T, *steps.T, color="0.3", linewidth=0.8, arrow_length_ratio=0.3)
        return
    panel.quiver(*feet.T, *steps.T, angles="xy", scale_units="xy", scale=1, width=0.004, color="0.3", zorder=2.5)
    panel.update_datalim(feet + steps)
    panel.autoscale_view()
