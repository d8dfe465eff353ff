"""The figure of a run: the solution beside the exact one, the error, losses, weights, rates."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np

from pinnace import plot, zoo
from pinnace.cli.result import losses_of, rates_of, weights_of

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, which colour-blind readers can tell apart; a loss and its weight have the same."""
COLUMNS = 250
"""How many values of a curve a panel has room for."""


def figure_of(case: zoo.Case) -> Any:
    """One figure of two rows: fields above, curves below. No window, no state of pyplot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), layout="constrained")
    above, below = np.ravel(np.asarray(figure.subfigures(2, 1, height_ratios=(1.1, 1)), object))
    shown = case.posed.picture or case.posed.solution
    panels = above.subplots(1, 3 if sum(map(np.ndim, shown.points.values())) > 1 else 2)
    plot.field(case.crux, shown.expr, shown.points, shown.exact, label=shown.label, axes=panels)
    held = {str(key): values for key, values in shown.points.items() if not np.ndim(values)}
    if held:  # too long for the titles of three panels
        for panel in panels:
            panel.set_title(panel.get_title().replace(panel.get_title().rpartition(", ")[0], shown.label))
        above.supxlabel(f"at {', '.join(f'{name} = {value:g}' for name, value in held.items())}", fontsize="small")

    # all fields of a problem share one rate
    rows = [
        ("losses", losses_of(case)),
        ("weights", weights_of(case)),
        ("unknown", list(case.posed.unknowns)),
        ("rate", rates_of(case)[:1]),
    ]
    rows = [(title, names) for title, names in rows if names]
    if rows:
        panels = below.subplots(1, len(rows), squeeze=False)[0]
        for panel, (title, names) in zip(panels, rows, strict=True):
            _curves(panel, case, names)
            panel.set_title(title)
    figure.suptitle(f"{case.problem.title}: relative L2 error {case.error:.1e} after {case.crux.steps} steps")
    return figure


def _curves(panel: Any, case: zoo.Case, names: Sequence[str]) -> None:
    """Each name as the median of neighbouring steps, and lightly the range of most of them around it."""
    positive = True
    for name, colour in zip(names, cycle(COLOURS), strict=False):
        steps, values = case.crux.history.steps(name), case.crux.history[name]
        steps, values = steps[np.isfinite(values)], values[np.isfinite(values)]
        parts = np.array_split(np.arange(len(steps)), min(len(steps), COLUMNS) or 1)
        rows = [(steps[part].mean(), *np.percentile(values[part], (5, 50, 95))) for part in parts if part.size]
        middle, low, median, high = np.array(rows).reshape(-1, 4).T
        panel.fill_between(middle, low, high, color=colour, alpha=0.25, linewidth=0)
        panel.plot(middle, median, color=colour, linewidth=1.4, label=name)
        positive = positive and bool(np.all(values > 0))
    if positive:
        panel.set_yscale("log")
    for name in [name for name in names if name in case.unknowns]:
        panel.axhline(case.unknowns[name][1], color="black", linewidth=0.8, linestyle=":", label=f"{name}, true")
    panel.set_xlabel("step")
    panel.locator_params(axis="x", nbins=5)
    panel.legend(fontsize="small")
