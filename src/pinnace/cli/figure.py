"""The figure of a run: the solution beside the exact one, the error, losses, weights, rates."""

from typing import Any

import numpy as np

from pinnace import plot, zoo
from pinnace.cli.result import losses_of, rates_of, weights_of
from pinnace.train import curves


def figure_of(case: zoo.Case) -> Any:
    """One figure of two rows: fields above, curves below. No window, no state of pyplot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), layout="constrained")
    above, below = np.ravel(np.asarray(figure.subfigures(2, 1, height_ratios=(1.1, 1)), object))
    solution = case.posed.solution
    plot.field(case.crux, solution.expr, solution.points, solution.exact, label="u", axes=above.subplots(1, 3))

    unknowns = list(case.posed.unknowns)
    rows = [("losses", losses_of(case)), ("weights", weights_of(case)), ("unknown", unknowns), ("rate", rates_of(case))]
    rows = [(title, names) for title, names in rows if names]
    if rows:
        panels = below.subplots(1, len(rows), squeeze=False)[0]
        for panel, (title, names) in zip(panels, rows, strict=True):
            curves(panel, case.crux.history, names)
            panel.set_title(title)
            panel.set_xlabel("step")
            if title == "unknown":
                _true_values(panel, case)
    figure.suptitle(f"{case.problem.title}: relative L2 error {case.error:.1e} after {case.crux.steps} steps")
    return figure


def _true_values(panel: Any, case: zoo.Case) -> None:
    for name, (_, true) in case.unknowns.items():
        panel.axhline(true, color="black", linewidth=0.8, linestyle=":", label=f"{name}, true")
    panel.legend(fontsize="small")
