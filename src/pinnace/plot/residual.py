"""Where an equation is not yet solved."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pinnace._errors import PinnaceError
from pinnace.canvas import MARKERS, label_of, place, plain
from pinnace.expr import Expr, mathtext, text
from pinnace.plot.dots import name_axes, ordered
from pinnace.plot.grid import Grid, Slices, Where, grid_of
from pinnace.plot.panels import BLUE, ORANGE, WIDTH, Frame, image, logarithmic, tell_missing
from pinnace.plot.scales import Values, above_zero, largest
from pinnace.train import COLOURS, Crux, given_axes, new_figure, new_panels

DECADES = 6
"""How many powers of ten a residual is shown over at most."""
FEW = 4
"""Different values of a coordinate that are told by colours."""
NEAR = 0.05
"""How far from a slice the points on it may be, over the range of the coordinate that is held."""


def residual(
    crux: Crux,
    r: Expr,
    where: Where | None = None,
    *,
    slices: Slices | None = None,
    n: int | None = None,
    points: bool = False,
    label: str | None = None,
    ax: Any = None,
    axes: Any = None,
) -> tuple[Any, Any]:
    """Draw the magnitude of a residual over the domain, logarithmic: (figure, axes).

    `r` is a residual, or a loss such as `r.mse.named("pde")`, of which the residual is drawn under its name; of several
    components the norm. `where`, `slices` and `n` are those of `plot.field`. Without `where` a residual on a boundary,
    at the initial time or on data is drawn at the points as they are. `points=True` adds the current points of the
    residual (on slices those nearby). `ax` (or `axes`) are matplotlib's, one for each slice.

    >>> x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 64)
    >>> u = pn.nn(eqx.nn.MLP(2, "scalar", 8, 1, key=jax.random.key(0))).optimizer(optax.adam(1e-3))(x, t)
    >>> pde = (u.d(t) - u.dd(x)).mse.named("pde")
    >>> fig, axes = pn.plot.residual(pn.core([pde]), pde, n=17, points=True)
    >>> axes[0].get_title()
    '|residual| of pde'
    """
    inner, name = _residual(r)
    if label is None:
        label = f"|residual| of {plain(name)}" if name is not None else _size_of(label_of(inner, WIDTH - 1))
    given = given_axes(ax, axes)
    if where is None and not slices and inner.points is not None and not _fills(inner.points.plan):
        return _at_points(crux, inner, label, given)
    grid = grid_of(inner, where, slices, n)
    frame = Frame(grid, grid.distance())
    values = _magnitude(np.stack([np.asarray(crux.eval(inner, grid.at(held)), float) for held in grid.held]), inner)
    wide, high = frame.size
    count = len(grid.held)
    panels = new_panels(1, count, (wide * count + 0.9, high + 0.5), given, layout=frame.layout)[0]
    draw = _curves if len(grid.drawn) == 1 else _images
    draw(panels, frame, values, label)
    for number, held in enumerate(grid.held):
        if held:
            panels[number].set_title(place(held) if count > 1 and len(grid.drawn) == 1 else f"{label} at {place(held)}")
        if points and inner.points is not None:
            _scatter(panels[number], crux, grid, held)
    return panels[0].figure, panels


def _residual(r: Expr) -> tuple[Expr, str | None]:
    """What a loss reduces, and the name that either has."""
    name = None
    while r.kind in ("named", "reduce"):
        if r.kind == "named":
            name = name or r.data[0]
        (r, *_) = r.args
    if r.points is None:
        raise PinnaceError(
            f"`{text(r)}` is one number, not a residual with a value at each point. Draw the residual itself, or a "
            f"loss that reduces one, `r.mse`."
        )
    return r, name


def _size_of(shown: str) -> str:
    """The size of what is shown, in its own notation."""
    if not shown:
        return "|residual|"
    if not shown.startswith("$"):
        return f"|{shown}|"
    inner = mathtext(rf"\left|{shown[1:-1]}\right|")
    return f"${inner}$"


def _magnitude(values: np.ndarray, r: Expr) -> Values:
    return np.sqrt(np.sum(values**2, axis=tuple(range(-len(r.shape), 0)))) if r.shape else np.abs(values)


def _fills(plan: Any) -> bool:
    """Whether points are those of the whole domain."""
    return plan is not None and plan.region == "interior"


def _curves(panels: Any, frame: Frame, values: np.ndarray, label: str) -> None:
    (across,) = frame.grid.drawn.values()
    values = frame.inside(values)
    size = above_zero(values, DECADES)
    for number, panel in enumerate(panels):
        logarithmic(panel, size)
        panel.plot(across, size[number], color=BLUE, linewidth=1.2)
        tell_missing(panel, frame.missing(values[number], number))
        frame.name(panel, left=number == 0)
    panels[0].set_ylabel(label)


def _images(panels: Any, frame: Frame, values: np.ndarray, label: str) -> None:
    from matplotlib.colors import LogNorm

    inside = above_zero(frame.inside(values), DECADES)
    top = largest(inside)
    low = float(np.nanmin(inside, initial=top / 10))
    norm = LogNorm(low, top)
    shown = frame.shown(values)
    drawn = None
    for number, panel in enumerate(panels):
        drawn = image(panel, frame.grid, np.maximum(shown[number], low), cmap="cividis", norm=norm)
        frame.cover(panel, number)
        tell_missing(panel, frame.missing(values[number], number))
        frame.name(panel, left=number == 0)
    panels[0].set_title(label)
    panels[0].figure.colorbar(drawn, ax=list(panels), pad=0.02)


def _scatter(panel: Any, crux: Crux, grid: Grid, held: Mapping[Expr, float]) -> None:
    """The points as they are on top of an image, or along the lower edge of a curve."""
    found = {key: np.asarray(crux.eval(key), float) for key in (*grid.drawn, *held)}
    near = np.all([np.abs(found[key] - value) <= NEAR * np.ptp(found[key]) for key, value in held.items()], axis=0)
    columns = [found[key][np.broadcast_to(near, found[key].shape)] for key in grid.drawn]
    if len(columns) == 1:
        panel.plot(columns[0], 0 * columns[0] + 0.01, "|", color=ORANGE, transform=panel.get_xaxis_transform())
    else:
        panel.scatter(*columns, s=4, c="white", edgecolors="black", linewidths=0.3, zorder=2)


def _at_points(crux: Crux, r: Expr, label: str, given: Any) -> tuple[Any, Any]:
    """The residual at its own points, over the coordinates in which they differ."""
    keys = [Expr("coordinate", (), (r.points, axis)) for axis in sorted({axis for _, axis in r.depends})]
    everything = {key: np.asarray(crux.eval(key), float) for key in keys}
    columns = {key: column for key, column in everything.items() if np.ptp(column) > 0} or everything
    values = above_zero(_magnitude(np.asarray(crux.eval(r), float), r), DECADES)
    kinds = {key: len(np.unique(column)) for key, column in columns.items()}
    match sorted(columns, key=lambda key: kinds[key]):
        case [key]:
            return _series(np.zeros(len(values)), None, (key, columns[key]), values, label, given)
        case [by, key] if kinds[by] <= FEW:
            return _series(columns[by], by, (key, columns[key]), values, label, given)
        case [_, _] | [_, _, _]:
            return _coloured(columns, values, label, given)
    raise PinnaceError(
        f"`{text(r)}` depends on {len(columns)} coordinates of its points; one to three can be drawn. Say where "
        f"to draw it, a domain or {{x: xs, t: ts}}."
    )


def _series(
    which: Values, by: Expr | None, over: tuple[Expr, Values], values: Values, label: str, given: Any
) -> tuple[Any, Any]:
    """Dots over one coordinate, one colour for each value of another one."""
    panel = new_panels(1, 1, (4.6, 3.0), given)[0, 0]
    logarithmic(panel, values)
    key, column = over
    for number, one in enumerate(np.unique(which)):
        here = which == one
        style = {"marker": MARKERS[number], "color": COLOURS[number], "markersize": 4, "linestyle": ""}
        panel.plot(column[here], values[here], label=None if by is None else place({by: one}), **style)
    if by is not None:
        panel.legend(frameon=False)
    panel.set_ylabel(label)
    name_axes(panel, [key], [column])
    return panel.figure, np.array([panel])


def _coloured(columns: dict[Expr, Values], values: Values, label: str, given: Any) -> tuple[Any, Any]:
    """Dots over two or three coordinates, the residual as their colour."""
    from matplotlib.colors import LogNorm

    solid = len(columns) == 3
    keys = list(columns) if solid else ordered(list(columns))
    if solid and given is None:
        panel = new_figure((5.2, 4.2)).add_subplot(projection="3d")
    else:
        panel = new_panels(1, 1, (4.6, 3.6), given)[0, 0]
    top = largest(values)
    norm = LogNorm(float(np.nanmin(values, initial=top / 10)), top)
    drawn = panel.scatter(*(columns[key] for key in keys), c=values, norm=norm, cmap="cividis", s=12)
    panel.figure.colorbar(drawn, ax=panel, pad=0.12 if solid else 0.02)
    panel.set_title(label)
    name_axes(panel, keys, [columns[key] for key in keys])
    return panel.figure, np.array([panel])
