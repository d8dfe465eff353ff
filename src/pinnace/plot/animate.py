"""A field over time, or over any other coordinate, as a film."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pinnace._errors import PinnaceError
from pinnace.canvas import label_of
from pinnace.expr import Expr, latex, text
from pinnace.plot.film import Film
from pinnace.plot.grid import Exact, Grid, Slices, Where, coordinate_of, grid_of, own_domain, ranges_of
from pinnace.plot.layers import Stack, layers_of
from pinnace.plot.panels import WIDTH, Frame, curves, image
from pinnace.plot.scales import limits
from pinnace.train import Crux, given_axes, new_panels


def animate(
    crux: Crux,
    u: Expr,
    where: Where | None = None,
    exact: Exact | None = None,
    *,
    over: Expr | str,
    frames: int = 60,
    slices: Slices | None = None,
    n: int | None = None,
    label: str | None = None,
    fps: float = 20,
    ax: Any = None,
    axes: Any = None,
) -> Film:
    """Draw an expression over one or two coordinates while another one moves: a film of `frames`, (figure, axes).

    `over` is the coordinate that moves, from one end of the domain to the other, or through its own vector in
    `where = {x: xs, t: ts}`. `where`, `exact`, `slices`, `n` and `label` are those of `plot.field`, with one value for
    each slice. Colours and axes are the same in all frames. The film is saved by `.save("u.gif")` and plays in
    notebooks; `.animation` is matplotlib's own. `ax` (or `axes`): one panel, or three for an image with a reference.

    Raises PinnaceError where more than two coordinates would be left.

    >>> dom = pn.domain.interval(0, 1).time(0, 1)
    >>> x, t = dom.variable("interior", 64)
    >>> u = pn.nn(eqx.nn.MLP(2, "scalar", 8, 1, key=jax.random.key(0))).optimizer(optax.adam(1e-3))(x, t)
    >>> film = pn.plot.animate(pn.core([u.mse]), u, dom, over=t, frames=3, n=9)
    >>> fig, axes = film
    >>> film
    Film of 3 frames; .save(path) writes it
    """
    if u.shape:
        raise PinnaceError(f"`{text(u)}` has components; draw one of them, for example `u[0]`.")
    grid, moving = _grid(u, where, exact, over, frames, dict(slices or {}), n)
    reference = None if exact is None else grid.reference(crux, exact)
    found = grid.values(crux, u)
    frame = Frame(grid, grid.distance())
    flat = len(grid.drawn) == 1
    count = 1 if flat or reference is None else 3
    given = given_axes(ax, axes)
    wide, high = (4.6, 3.2) if flat else frame.size
    size = (wide * count + 0.9, high + 0.6)
    panels = new_panels(1, count, size, given, layout=frame.layout, still=False)[0]
    name = label_of(u, WIDTH - 1.2) if label is None else label
    draw = (_lines if flat else _images)(panels, frame, found, reference, name, _stamps(grid, moving))
    draw(0)
    figure = panels[0].figure
    if given is None:  # laid out once, so that nothing jumps
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    film = Film(figure, panels, draw, len(grid.held), fps)
    if given is None and figure.canvas.manager is not None:
        _ = film.animation  # a window plays it at once
    return film


def _grid(
    u: Expr, where: Where | None, exact: Exact | None, over: Expr | str, frames: int, slices: dict, n: int | None
) -> tuple[Grid, Expr]:
    """Where to draw, one slice for each frame, and the coordinate that moves."""
    name = text(over) if isinstance(over, Expr) else over
    if isinstance(where, Mapping):
        known = {text(key): key for key in where}
        if name not in known:
            raise PinnaceError(f"over={name} is none of the coordinates that have values: {', '.join(known)}.")
        moving, values = known[name], np.asarray(where[known[name]], float)
        rest: Where = {key: column for key, column in where.items() if key is not moving}
        order = tuple(where)
    else:
        rest = own_domain(u) if where is None else where
        ranges = ranges_of(rest)
        if name not in ranges:
            raise PinnaceError(f"over={name} is no coordinate of {rest!r}; it has {', '.join(ranges)}.")
        moving, values, order = _moving(u, name), np.linspace(*ranges[name], frames), None
    held: dict[Any, Any] = {moving: values, **slices}
    grid = grid_of(u, rest, held, n, exact)
    if len(grid.held) != len(values):
        others = ", ".join(f"{text(key)}: ..." for key in grid.held[0] if key is not moving)
        raise PinnaceError(f"a film holds all other coordinates at one value: slices={{{others}}}.")
    return (grid if order is None else replace(grid, order=order)), moving


def _moving(u: Expr, name: str) -> Expr:
    if u.points is None:
        raise PinnaceError(f"`{text(u)}` is one number, the same everywhere; there is nothing to animate.")
    return coordinate_of(u.points, name)


def _stamps(grid: Grid, moving: Expr) -> list[str]:
    """Where each frame is, with as many digits as tell them apart."""
    values = [held[moving] for held in grid.held]
    span = max(values) - min(values)
    digits = 2 + max(0, -math.floor(math.log10(span))) if span > 0 else 3
    return [f"${latex(moving)} = {value:.{digits}f}$" for value in values]


def _lines(
    panels: Any, frame: Frame, found: Stack, exact: Stack | None, label: str, stamps: list[str]
) -> Callable[[int], Any]:
    (panel,), (across,) = panels, frame.grid.drawn.values()
    stacks = [frame.inside(one) for one in ((found,) if exact is None else (exact, found))]
    lines = curves(panel, across, stacks[-1][0], None if exact is None else stacks[0][0])
    panel.set_ylim(limits(np.stack(stacks)))
    panel.set_ylabel(label)
    frame.name(panel)
    if exact is not None:
        panel.legend(frameon=False, loc="upper right")

    def draw(number: int) -> Any:
        for line, stack in zip(lines, stacks, strict=True):
            line.set_ydata(stack[number])
        panel.set_title(stamps[number])
        return lines

    return draw


def _images(
    panels: Any, frame: Frame, found: Stack, exact: Stack | None, label: str, stamps: list[str]
) -> Callable[[int], Any]:
    meshes, layers = [], layers_of(frame, found, exact)
    for k, (panel, layer) in enumerate(zip(panels, layers, strict=True)):
        meshes.append(image(panel, frame.grid, layer.shown[0], **layer.style))
        frame.cover(panel, 0)
        frame.name(panel, left=k == 0)
        if exact is None or k > 0:
            panel.figure.colorbar(meshes[-1], ax=panel, pad=0.02, extend="min" if k == 2 else "neither")

    def draw(number: int) -> Any:
        for k, (panel, mesh, layer) in enumerate(zip(panels, meshes, layers, strict=True)):
            mesh.set_array(np.ma.masked_invalid(layer.shown[number].T))
            panel.set_title(
                layer.titled(f"{label} at {stamps[number]}" if label and k == 0 else label or stamps[number])
            )
        return meshes

    return draw
