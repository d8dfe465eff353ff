"""Axes to draw into: those that are given, or new ones that nobody else sees."""

import sys
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from pinnace._errors import PinnaceError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""
EDGE = 0.07
"""Inches around what is drawn."""

Arrangement = Literal["constrained", "compressed"]
"""How matplotlib places panels; the second one keeps together those whose sides have a given ratio."""


def new_figure(size: tuple[float, float], layout: Arrangement = "constrained", still: bool = True) -> Any:
    """A figure; pyplot knows it only where pyplot could show it, in a window or, where it is `still`, in a notebook.

    So scripts that write files leave nothing behind, and notebooks show it once, at the end of their cell. Raises
    PinnaceError without matplotlib.
    """
    try:
        import matplotlib
        from matplotlib.backends.registry import BackendFilter, backend_registry
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise PinnaceError(
            f"figures are drawn by matplotlib, which cannot be imported ({missing}): pip install matplotlib. Nothing "
            f"is lost: the numbers are in run.history and crux.history."
        ) from None
    # to ask for a backend that is not chosen yet would choose it
    chosen = "matplotlib.pyplot" in sys.modules or matplotlib.get_backend(auto_select=False) is not None
    backend = matplotlib.get_backend().lower() if chosen else "agg"
    if backend in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE) or ("inline" in backend and not still):
        figure: Any = Figure(figsize=size, layout=layout)
    else:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=size, layout=layout)
    figure.get_layout_engine().set(w_pad=EDGE, h_pad=EDGE)
    return figure


def new_panels(
    rows: int,
    columns: int,
    size: tuple[float, float],
    given: Any = None,
    *,
    layout: Arrangement = "constrained",
    still: bool = True,
    **how: Any,
) -> np.ndarray:
    """Panels as an array `[rows, columns]`: the given ones in this order, or a new figure of them, of `size` inches.

    Raises PinnaceError where another number is given.
    """
    if given is None:
        return new_figure(size, layout, still).subplots(rows, columns, squeeze=False, **how)
    panels = flat(given)
    if len(panels) != rows * columns:
        raise PinnaceError(
            f"this figure has {rows * columns} panel{'s' * (rows * columns > 1)}; got axes for {len(panels)}."
        )
    return np.array([*panels, None], object)[:-1].reshape(rows, columns)


def given_axes(ax: Any, axes: Any) -> Any:
    """The axes to draw into under either of their names; None for new ones.

    Raises PinnaceError where both are given.
    """
    if ax is not None and axes is not None:
        raise PinnaceError("ax= and axes= are the same thing, what to draw into; give one of them.")
    return axes if ax is None else ax


def flat(axes: Any) -> Sequence[Any]:
    """Axes one after the other: one, a list, an array, lists of lists."""
    return list(np.atleast_1d(np.asarray(axes, object)).ravel())
