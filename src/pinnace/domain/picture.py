"""A domain as a figure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pinnace._errors import DomainError
from pinnace.canvas import (
    ARROWS,
    COLOURS,
    Dots,
    arrows,
    given_axes,
    height_of,
    new_figure,
    new_panels,
    outline,
    scatter,
    some_of,
    strip,
)
from pinnace.domain.patch import Patch
from pinnace.domain.rounding import TOGETHER, rounding
from pinnace.domain.shape import Shape
from pinnace.domain.shares import accepted, good
from pinnace.expr import Expr
from pinnace.points import sobol_bits

INSIDE, AROUND = 400, 150
"""Points of the interior and of the boundary that a domain is shown by."""
ON_LINE = 64
"""Points of an interval."""
FEWEST = 6
"""Points of a part, at least."""
MOST = len(COLOURS) - 1
"""Parts up to which those with a number are shown although they lie in others."""
OWN = ("interior", "boundary", "initial", "final")
NUMBERED = re.compile(r"_\d+$")


@dataclass(frozen=True)
class Shown:
    """Points of one region."""

    region: str
    patch: Patch
    values: Any


def picture(
    dom: Any, regions: Sequence[str] | None, n: int | None, normals: bool, ax: Any, axes: Any
) -> tuple[Any, Any]:
    """The figure that `Domain.plot` gives."""
    given = given_axes(ax, axes)
    flat = _projected(dom)
    names = [regions] if isinstance(regions, str) else list(_regions(flat) if regions is None else regions)
    order = _order(flat)
    count = n or (INSIDE if len(order) > 1 else ON_LINE)
    shown = [_drawn(flat, name, count) for name in names]
    if not shown:
        raise DomainError(f"{dom!r}.plot(regions=[]) shows nothing; leave regions out to see all of them.")
    shape = flat.shape
    equal = len(order) > 1 and max(order) < shape.dim
    keys = [Expr("coordinate", (), (_points(flat, shown[0].region), axis)) for axis in order]
    sets = [_dots(one, order, names) for one in shown]
    panel = _panel(given, sets, equal)
    if len(order) == 1:
        strip(panel, sets, keys[0])
    else:
        scatter(panel, sets, keys, equal)
    if equal and shape.dim == 2:
        _outline(panel, shape)
    for one in shown if normals and shape.dim else ():
        _normals(panel, one, order, shape.dim, equal, sets)
    return panel.figure, np.array([panel, None], object)[:-1]


def _projected(dom: Any) -> Any:
    """The domain in the coordinates that are drawn: space alone, or with one of time and parameters beside a line."""
    return replace(dom, spans=dom.spans[: max(0, 2 - dom.shape.dim)])


def _order(flat: Any) -> list[int]:
    """Which coordinates are drawn: to the right, up, and to the back; time to the right."""
    count = min(3, len(flat.axes))
    return [1, 0] if count == 2 and flat.spans and flat.spans[-1].is_time else list(range(count))


def _points(flat: Any, region: str) -> Any:
    found = flat.variable(region, 1)
    return (found if isinstance(found, tuple) else (found,))[0].points


def _drawn(flat: Any, region: str, count: int) -> Shown:
    """Points of a region, as many as go with so many in the interior; on the host, which compiles nothing."""
    patch = flat.patch(region)  # raises where there is none
    inner = region == "interior" or region in flat.shape.zones
    if not inner:
        count = max(min(FEWEST, count), round(count * AROUND / INSIDE * _share(flat.shape, region)))
    cover = patch.cover
    if not cover.dim:
        piece, unit = np.arange(len(cover.measures)), np.zeros((len(cover.measures), 0))
    else:
        pool = count if patch.accepts is None else flat.accepted(region).pool(count)
        even: Any = (sobol_bits(pool, cover.dim) + 0.5) / 2.0**32
        piece, unit = cover.split(even)
    kept = good(patch, piece, unit)
    points = np.asarray(patch.place(piece, unit))[kept]
    return Shown(region, patch, points[:count] if cover.dim else points)


def _share(shape: Shape, region: str) -> float:
    """The part of the boundary that a region is."""
    if region not in shape.names or not shape.bounded:
        return 1.0
    return min(1.0, _size(shape, region) / _size(shape, "boundary"))


def _size(shape: Shape, region: str) -> float:
    patch = shape.region(region)
    return float(patch.cover.measures.sum()) if patch.accepts is None else accepted(shape, region).measure


def _regions(flat: Any) -> list[str]:
    """What is shown: each part once, under the first of its names; of too many none of those with a number that lie
    in others."""
    shape, space = flat.shape, replace(flat, spans=())
    whole = [name for name in flat.regions if name in OWN]
    found = {name: _drawn(space, name, INSIDE).values for name in ("boundary", *shape.names) if name in space.regions}
    found = {name: points for name, points in found.items() if len(points)}

    def within(one: str, other: str) -> bool:
        return _all_on(shape, found[one], None if other == "boundary" else other)

    kept: list[str] = []
    for name in (name for name in found if name != "boundary"):
        same = [other for other in ("boundary", *kept) if other in found and within(name, other)]
        if not any(within(other, name) for other in same):
            kept.append(name)
    if len(kept) > MOST:
        kept = [one for one in kept if not (NUMBERED.search(one) and any(within(one, o) for o in kept if o != one))]
    return [*whole, *kept, *shape.zones]


def _all_on(shape: Shape, points: Any, name: str | None) -> bool:
    return bool(np.all(shape.on(points, TOGETHER * rounding(shape.scale, points.dtype), name)))


def _dots(one: Shown, order: Sequence[int], names: Sequence[str]) -> Dots:
    parts = [name for name in names if name not in OWN]
    colour = "0.65" if one.region == "boundary" and parts else None
    if one.region in parts:
        colour = COLOURS[1 + parts.index(one.region) % (len(COLOURS) - 1)]
    small = one.region == "interior" or colour == "0.65"
    return Dots(one.region, one.values[:, list(order)], small, colour)


def _panel(given: Any, sets: Sequence[Dots], equal: bool) -> Any:
    columns = list(np.concatenate([one.values for one in sets]).T)
    solid = len(columns) == 3
    if given is None:
        figure = new_figure((4.8, 4.4 if solid else height_of(columns, len(sets), equal)))
        return figure.add_subplot(projection="3d" if solid else None)
    panel = new_panels(1, 1, (1, 1), given)[0, 0]
    if (panel.name == "3d") != solid:
        raise DomainError(
            f"this domain is drawn in {max(2, len(columns))} dimensions; got {panel.name} axes."
            + (' Make them with projection="3d".' if solid else "")
        )
    return panel


def _outline(panel: Any, shape: Shape) -> None:
    try:
        outline(panel, shape.bounds, shape.signed_distance)
    except DomainError:  # a cloud of points has none
        return


def _normals(panel: Any, one: Shown, order: Sequence[int], dim: int, equal: bool, sets: Sequence[Dots]) -> None:
    """Arrows at some of the points of the boundary."""
    if one.region != "boundary" or one.patch.normals is None:
        return
    # the first ones of low discrepancy are even themselves
    feet = one.values[:ARROWS] if one.patch.cover.dim else some_of(one.values)
    along = np.zeros_like(feet)
    along[:, :dim] = one.patch.normals(feet[:, :dim])
    feet, along = feet[:, list(order)], along[:, list(order)]
    if len(order) == 1:  # in the row of the boundary
        row = [dots.label for dots in sets].index("boundary")
        feet, along = np.hstack([feet, np.full_like(feet, -row)]), np.hstack([along, np.zeros_like(along)])
    arrows(panel, feet, along, equal)
