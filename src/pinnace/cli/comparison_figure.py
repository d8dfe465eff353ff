"""The figure of a comparison: errors, time of a step, and last weights of each balancer."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnace import zoo
from pinnace.cli.figure import COLOURS


def comparison_figure(problem: zoo.Problem, trials: Sequence[zoo.Trial]) -> Any:
    """Three panels with one row a balancer, the best above. No window, no state of pyplot."""
    from matplotlib.figure import Figure

    found = zoo.summaries(trials)
    rows = np.arange(len(found))
    figure = Figure(figsize=(11, 1.5 + 0.33 * len(found)), layout="constrained")
    errors, times, weights = figure.subplots(1, 3, sharey=True, width_ratios=(1.5, 1, 1.5))
    errors.set_yticks(rows, [one.balancer for one in found])
    errors.set_ylim(len(found) - 0.5, -0.5)
    _errors(errors, found)
    _times(times, trials, [one.balancer for one in found])
    _weights(weights, found)
    for panel in (errors, times, weights):
        panel.grid(axis="x", alpha=0.25)
        panel.set_axisbelow(True)
        panel.tick_params(axis="y", length=0)
        panel.spines[["top", "right", "left"]].set_visible(False)
    seeds = len({trial.seed for trial in trials})
    figure.suptitle(f"{problem.title}: {problem.steps} steps, {seeds} seed{'s' * (seeds > 1)}", fontsize="medium")
    return figure


def _errors(panel: Any, found: Sequence[zoo.Summary]) -> None:
    for row, one in enumerate(found):
        finite = [error for error in one.errors if math.isfinite(error)]
        if finite:
            panel.plot([finite[0], finite[-1]], [row, row], color=COLOURS[0], linewidth=2, solid_capstyle="round")
            panel.plot(finite, [row] * len(finite), ".", color=COLOURS[0], markersize=5)
        if math.isfinite(one.median):
            panel.plot(one.median, row, "o", color=COLOURS[0], markersize=8, markeredgecolor="white")
        if one.failed:
            told = f"{one.failed} of {len(one.errors)} failed"
            panel.text(
                0.99, row, told, transform=panel.get_yaxis_transform(), ha="right", va="center", color=COLOURS[1]
            )
    _decades(panel, [error for one in found for error in one.errors])
    panel.set_xlabel("relative L2 error: median, runs, range")


def _times(panel: Any, trials: Sequence[zoo.Trial], names: Sequence[str]) -> None:
    for row, name in enumerate(names):
        times = [1e3 * run.step_seconds for run in trials if run.balancer == name and math.isfinite(run.step_seconds)]
        if times:
            panel.plot([min(times), max(times)], [row, row], color=COLOURS[2], linewidth=2, solid_capstyle="round")
            panel.plot(np.median(times), row, "o", color=COLOURS[2], markersize=8, markeredgecolor="white")
    panel.set_xlim(left=0)
    panel.set_xlabel("time of a step, ms")


def _weights(panel: Any, found: Sequence[zoo.Summary]) -> None:
    losses = list(dict.fromkeys(loss for one in found for loss in one.weights))
    for k, (loss, colour) in enumerate(zip(losses, COLOURS * (1 + len(losses) // len(COLOURS)), strict=False)):
        shift = 0.4 * ((k + 0.5) / len(losses) - 0.5)  # equal weights would hide each other
        rows = [(one.weights[loss], row + shift) for row, one in enumerate(found) if one.weights.get(loss, 0) > 0]
        if rows:
            panel.plot(*zip(*rows, strict=True), "o", color=colour, markersize=5, label=loss)
    _decades(panel, [weight for one in found for weight in one.weights.values()])
    panel.set_xlabel("last weight, median")
    panel.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def _decades(panel: Any, values: Sequence[float]) -> None:
    """A logarithmic axis over whole decades, so that no two labels meet."""
    from matplotlib.ticker import LogLocator, NullFormatter

    logs = [math.log10(value) for value in values if 0 < value < math.inf] or [0.0]
    low, high = math.floor(min(logs) - 0.05), math.ceil(max(logs) + 0.05)
    panel.set_xscale("log")
    panel.set_xlim(10.0**low, 10.0 ** max(high, low + 1))
    panel.xaxis.set_major_locator(LogLocator(numticks=7))
    panel.xaxis.set_minor_formatter(NullFormatter())
