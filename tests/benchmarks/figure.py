"""The figures of the benchmarks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from tests.benchmarks.rounds import Ratio

SIDES = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#666666")


def ratios(path: Path, problems: Sequence[str], sides: Mapping[str, Sequence[Ratio | None]]) -> None:
    """pinnace over each side for each problem, medians and ranges on a logarithmic axis."""
    figure = Figure(figsize=(8, 0.6 + 0.75 * len(problems)), layout="constrained")
    axes = figure.subplots()
    for k, (side, found) in enumerate(sides.items()):
        shift = 0.7 * (k / max(1, len(sides) - 1) - 0.5)
        places = [row + shift for row, one in enumerate(found) if one is not None]
        shown = [one for one in found if one is not None]
        middle = [one.median for one in shown]
        ranges = [
            [one.median - one.low for one in shown],
            [one.high - one.median for one in shown],
        ]
        axes.errorbar(middle, places, xerr=ranges, fmt="o", markersize=5, color=SIDES[k % len(SIDES)], label=side)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(problems)), problems)
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", alpha=0.25)
    axes.set_xlabel("time of a step, pinnace over the other (left of 1: pinnace is faster)")
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=130)


def growth(path: Path, curves: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]]) -> None:
    """One panel for each quantity that grows: milliseconds a step, and megabytes, both over it."""
    figure = Figure(figsize=(3.4 * len(curves), 3.2), layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for panel, (name, (values, times, memories)) in zip(panels, curves.items(), strict=True):
        panel.loglog(values, times, "o-", color=SIDES[0], label="ms a step")
        panel.loglog(values, memories, "s--", color=SIDES[3], label="MB of temporaries")
        panel.set_xlabel(name)
        panel.grid(which="both", alpha=0.25)
    panels[0].legend(frameon=False)
    figure.savefig(path, dpi=130)
