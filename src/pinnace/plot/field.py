"""A field as it stands, beside what it should be."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from pinnace._errors import PinnaceError
from pinnace.domain import Plan, Shape
from pinnace.expr import Expr, text
from pinnace.train import Crux

Values = Float[np.ndarray, "*grid"]
Exact = Callable[..., Any] | Float[Array | np.ndarray, "*grid"]

BLUE, ORANGE = "#0072B2", "#D55E00"
ROUNDING = 1e-6
"""How far outside of the domain a point may be, over the size of its coordinates."""
LONGEST = 16
"""Characters of an expression that a title has room for."""
DECADES = 4
"""How many powers of ten the error is shown over."""


def field(
    crux: Crux,
    u: Expr,
    points: Mapping[Expr, Float[Array | np.ndarray, " n"]],
    exact: Exact | None = None,
    *,
    label: str | None = None,
    axes: Any = None,
) -> tuple[Any, Any]:
    """Draw an expression over one or two coordinates, with a reference beside it and the error: (figure, axes).

    `points` are one vector of values for each coordinate; the first is drawn to the right, the second up:
    `{t: ts, x: xs}`. `exact` is a function of the values of the coordinates in this order, or an array of its values
    on their grid `[len(ts), len(xs)]`. `axes` are matplotlib's, to draw into: one panel, three with a reference (one
    coordinate: one and two). `label` names the expression. Points outside of the domain are left white. Raises
    PinnaceError where the numbers of coordinates or values do not fit.

    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 64)
    >>> net = pn.nn(eqx.nn.MLP(2, "scalar", 8, 1, key=jax.random.key(0))).optimizer(optax.adam(1e-3))
    >>> crux = pn.core([net(x, t).d(t).mse])
    >>> fig, axes = pn.plot.field(crux, net(x, t), {t: np.linspace(0, 1, 5), x: np.linspace(0, 1, 9)})
    """
    values = {coordinate: np.asarray(column, float) for coordinate, column in points.items()}
    if len(values) not in (1, 2) or any(column.ndim != 1 for column in values.values()):
        raise PinnaceError(
            "plot.field takes one or two coordinates with a vector of values each, {t: ts, x: xs}; got "
            f"{ {text(coordinate): column.shape for coordinate, column in values.items()} }."
        )
    grid = np.ix_(*values.values())
    found = np.asarray(crux.eval(u, dict(zip(values, grid, strict=True))), float)
    if found.ndim != len(values):
        raise PinnaceError(f"`{text(u)}` has components; draw one of them, for example `u[0]`.")
    reference = None if exact is None else _reference(exact, grid, found.shape)
    space = _space(values)
    if space is not None:
        found = np.where(_inside(space, values), found, np.nan)
    names = {text(coordinate): column for coordinate, column in values.items()}
    shown = label if label is not None else text(u) if len(text(u)) <= LONGEST else ""
    return _draw(names, found, reference, label=shown, axes=axes, equal=space is not None)


def _draw(
    grid: Mapping[str, Float[np.ndarray, " n"]],
    found: Float[np.ndarray, "*grid"],
    exact: Float[np.ndarray, "*grid"] | None = None,
    *,
    label: str,
    axes: Any = None,
    equal: bool = False,
) -> tuple[Any, Any]:
    """The figure of arrays. NaNs are left white; `equal` gives both axes the same unit of length."""
    flat = len(grid) == 1
    count = 1 if exact is None else 2 if flat else 3
    axes = _panels(count, flat, grid, axes)
    exact = None if exact is None else np.where(np.isnan(found), np.nan, exact)
    titles = [f"{label}, {word}" if label else word for word in ("network", "exact", "absolute error")]
    if flat:
        _lines(axes, grid, found, exact, titles)
    else:
        _images(axes, grid, found, exact, titles if exact is not None else [label])
        for panel in axes:
            panel.set_aspect("equal" if equal else "auto")
    return axes[0].figure, axes


def _reference(exact: Exact, grid: tuple[np.ndarray, ...], shape: tuple[int, ...]) -> Values:
    values = np.asarray(exact(*grid) if callable(exact) else exact, float)
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise PinnaceError(f"the reference has shape {values.shape} on a grid of {shape} points.") from None


def _space(values: Mapping[Expr, np.ndarray]) -> Shape | None:
    """The shape in space whose coordinates these are, all of them; None where time or only some are drawn."""
    points = next(iter(values)).points
    if points is None or not isinstance(points.plan, Plan):
        return None
    space = points.plan.domain.shape
    return space if sorted(coordinate.data[1] for coordinate in values) == list(range(space.dim)) else None


def _inside(space: Shape, values: Mapping[Expr, np.ndarray]) -> Bool[np.ndarray, "*grid"]:
    """Which points of the grid belong to the shape, up to rounding."""
    grid = np.meshgrid(*values.values(), indexing="ij")
    axes = [coordinate.data[1] for coordinate in values]
    points = np.stack([grid[axes.index(axis)] for axis in range(space.dim)], axis=-1)
    distance = np.asarray(space.signed_distance(jnp.asarray(points.reshape(-1, space.dim))))
    return (distance <= ROUNDING * np.abs(points).max()).reshape(points.shape[:-1])


def _panels(count: int, flat: bool, grid: Mapping[str, np.ndarray], axes: Any) -> Any:
    if axes is None:
        import matplotlib.pyplot as plt

        size = (4.2 * count, 3.0) if flat else (3.4 * count + 0.4, 2.9)
        _, axes = plt.subplots(1, count, squeeze=False, layout="constrained", figsize=size)
    panels = np.atleast_1d(np.asarray(axes, object)).ravel()
    if len(panels) != count:
        raise PinnaceError(f"this figure has {count} panel{'s' * (count > 1)}; got axes for {len(panels)}.")
    for panel in panels:
        panel.set_xlabel(next(iter(grid)))
    return panels


def _lines(
    panels: Any, grid: Mapping[str, np.ndarray], found: Values, exact: Values | None, titles: Sequence[str]
) -> None:
    (xs,) = grid.values()
    if exact is not None:
        panels[0].plot(xs, exact, color=BLUE, linewidth=2.5, label="exact")
        panels[1].semilogy(xs, _shown_error(found, exact), color=BLUE, linewidth=1.2)
        panels[1].set_title(titles[2])
    panels[0].plot(xs, found, color=ORANGE, linewidth=1.5, linestyle="--", label="network")
    panels[0].set_title(titles[0])
    panels[0].legend(frameon=False)


def _images(
    panels: Any, grid: Mapping[str, np.ndarray], found: Values, exact: Values | None, titles: Sequence[str]
) -> None:
    from matplotlib.colors import LogNorm

    shown = [found] if exact is None else [found, exact]
    scale = _scale(np.stack(shown))
    image = None
    for panel, values, title in zip(panels, shown, titles, strict=False):
        image = _image(panel, grid, values, title, **scale)
    figure = panels[0].figure
    figure.colorbar(image, ax=panels[len(shown) - 1], pad=0.02)
    panels[0].set_ylabel([*grid][1])
    if exact is not None:
        error = _shown_error(found, exact)
        top = float(np.nanmax(error))
        norm = LogNorm(top / 10**DECADES, top)
        image = _image(panels[2], grid, error, titles[2], cmap="viridis", norm=norm)
        figure.colorbar(image, ax=panels[2], pad=0.02)
        for panel in panels[1:]:
            panel.tick_params(labelleft=False)


def _image(panel: Any, grid: Mapping[str, np.ndarray], values: Values, title: str, **style: Any) -> Any:
    across, up = grid.values()
    # pixels, also in a vector format: a mesh of 26,000 squares is slow to draw and to print
    image = panel.pcolormesh(across, up, values.T, shading="gouraud", rasterized=True, **style)
    panel.set_title(title)
    return image


def _scale(values: Values) -> dict[str, Any]:
    """Colours from low to high; where both signs occur, one for each sign and white for zero."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    most = max(-low, high)
    if min(-low, high) > 0.05 * most:
        return {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    return {"cmap": "viridis", "vmin": low, "vmax": high if high > low else low + 1}


def _shown_error(found: Values, exact: Values) -> Values:
    """The absolute error, never 0, so that it has a logarithm."""
    error = np.abs(found - exact)
    top = float(np.nanmax(error)) or 1e-16
    return np.maximum(error, top / 10**DECADES)
