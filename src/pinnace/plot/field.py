"""A field as it stands, beside what it should be."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from pinnace._errors import PinnaceError
from pinnace.canvas import label_of, place
from pinnace.expr import Expr, text
from pinnace.plot.grid import Domain, Exact, Slices, grid_of
from pinnace.plot.layers import Stack, layers_of
from pinnace.plot.panels import BLUE, Frame, curves, image, logarithmic, tell_missing
from pinnace.plot.scales import above_zero, limits
from pinnace.train import Crux, given_axes, new_panels


def field(
    crux: Crux,
    u: Expr,
    where: Domain | Mapping[Expr, Float[Array | np.ndarray, " n"] | float] | None = None,
    exact: Exact | None = None,
    *,
    slices: Slices | None = None,
    n: int | None = None,
    label: str | None = None,
    ax: Any = None,
    axes: Any = None,
) -> tuple[Any, Any]:
    """Draw an expression over one or two coordinates, with a reference beside it and the error: (figure, axes).

    `where` is a domain, by default that of the points that `u` lives on: a line, an image, or x and y with time to the
    right; `n` points along each axis. Or vectors of values, the first drawn to the right, the second up:
    `{t: ts, x: xs}`. `slices={t: [0, 0.5, 1]}` holds coordinates and draws one column of panels for each value; of more
    than two coordinates the last ones are held where it says nothing.

    `exact` is an expression, a function of the values of the coordinates in the order of the domain (or of `where` and
    then `slices`), or for given points an array of its values on their grid, `[len(ts), len(xs)]`. Networks and
    references share one scale of colours, the error has its own, logarithmic and over four powers of ten.

    `ax` (or `axes`) are matplotlib's, to draw into: without slices one panel, three with a reference (one coordinate:
    one and two); with slices as many rows of panels. `label` names the expression. Outside of the domain nothing is
    drawn. Raises PinnaceError where the numbers of coordinates, values or axes do not fit.

    >>> x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 64)
    >>> net = pn.nn(eqx.nn.MLP(2, "scalar", 8, 1, key=jax.random.key(0))).optimizer(optax.adam(1e-3))
    >>> crux = pn.core([net(x, t).d(t).mse])
    >>> fig, axes = pn.plot.field(crux, net(x, t), {t: np.linspace(0, 1, 5), x: np.linspace(0, 1, 9)})
    >>> dom = pn.domain.interval(0, 1).time(0, 1)
    >>> fig, axes = pn.plot.field(crux, net(x, t), dom, slices={t: [0, 1]}, exact=pn.np.sin(x), n=9)
    >>> axes.shape
    (2, 2)
    """
    if u.shape:
        raise PinnaceError(f"`{text(u)}` has components; draw one of them, for example `u[0]`.")
    grid = grid_of(u, where, slices, n, exact)
    found = grid.values(crux, u)
    reference = None if exact is None else grid.reference(crux, exact)
    frame = Frame(grid, grid.distance())
    flat, several = len(grid.drawn) == 1, len(grid.held) > 1
    rows = 1 if reference is None else 2 if flat else 3
    shape = (rows, len(grid.held)) if several else (1, rows)
    wide, high = _size(frame, shape)
    given = given_axes(ax, axes)
    panels = new_panels(*shape, (wide * shape[1] + 0.9, high * shape[0] + 0.5), given, layout=frame.layout)
    name = label_of(u, wide - 1.2) if label is None else label
    if not several and grid.held[0]:
        name = f"{name} at {place(grid.held[0])}" if name else place(grid.held[0])
    draw = _lines if flat else _images
    draw(panels if several else panels.T, frame, found, reference, name)
    for number, held in enumerate(grid.held if several else ()):
        panels[0, number].set_title(f"{name} at {place(held)}" if name and not flat else place(held))
    return panels[0, 0].figure, panels if several else panels[0]


def _size(frame: Frame, shape: tuple[int, int]) -> tuple[float, float]:
    """Inches of a panel."""
    wide, high = (4.2, 3.0) if len(frame.grid.drawn) == 1 else frame.size
    factor = 0.75 if shape[1] > 3 else 1.0
    return factor * wide, factor * high


def _lines(panels: np.ndarray, frame: Frame, found: Stack, exact: Stack | None, label: str) -> None:
    """Curves in the first row, errors in the second."""
    (across,) = frame.grid.drawn.values()
    found = frame.inside(found)
    exact = None if exact is None else frame.inside(exact)
    same = limits(np.stack([found] if exact is None else [found, exact]))
    error = None if exact is None else above_zero(found - exact)
    for number, panel in enumerate(panels[0]):
        curves(panel, across, found[number], None if exact is None else exact[number])
        tell_missing(panel, frame.missing(found[number], number))
        frame.name(panel, left=number == 0)
        if panels.shape[1] > 1:
            panel.set_ylim(same)
        if error is not None:
            logarithmic(panels[1, number], error)
            panels[1, number].plot(across, error[number], color=BLUE, linewidth=1.2)
            frame.name(panels[1, number], left=number == 0)
    panels[0, 0].set_ylabel(label)
    if exact is not None:
        panels[0, 0].legend(frameon=False)
        panels[1, 0].set_ylabel("absolute error")


def _images(panels: np.ndarray, frame: Frame, found: Stack, exact: Stack | None, label: str) -> None:
    """Rows of images: the network, the reference, the error."""
    single = panels.shape[1] == 1
    layers = layers_of(frame, found, exact)
    for row, layer in enumerate(layers):
        drawn, last = None, row == len(layers) - 1
        for number, panel in enumerate(panels[row]):
            drawn = image(panel, frame.grid, layer.shown[number], **layer.style)
            frame.cover(panel, number)
            tell_missing(panel, frame.missing(layer.values[number], number))
            frame.name(panel, below=single or last, left=number == 0 and (row == 0 or not single))
        extend = "min" if last and exact is not None else "neither"
        if not single:
            low = _size(frame, panels.shape)[1] < 1.4  # inches: no room for two words
            word = layer.word.removeprefix("absolute ") if low else layer.word
            panels[0, 0].figure.colorbar(drawn, ax=list(panels[row]), label=word, pad=0.02, aspect=15)
            continue
        panels[row, 0].set_title(layer.titled(label))
        if exact is None or row > 0:  # side by side, network and reference share their colours
            panels[0, 0].figure.colorbar(drawn, ax=panels[row, 0], pad=0.02, extend=extend)
