"""A history as curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pinnace.train.history import History

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""
WIDE = 5
"""From which ratio of largest to smallest a logarithmic axis tells more."""


def draw(history: History, losses: Sequence[str], weights: Sequence[str], axes: Any = None) -> tuple[Any, Any]:
    """Losses, weights, what else is tracked, and rates over the steps, one panel each: (figure, axes)."""
    import matplotlib.pyplot as plt

    rates = [name for name in history if name.startswith("lr(")]
    known = {*losses, *rates, *weights}
    others = [name for name in history if history[name].ndim == 1 and name not in known]
    panels = [("loss", list(losses)), ("weight", list(weights)), ("tracked", others), ("rate", rates)]
    panels = [(label, names) for label, names in panels if names and history]
    if axes is None:
        _, axes = plt.subplots(
            len(panels), 1, sharex=True, squeeze=False, layout="constrained", figsize=(7, 2.6 * len(panels))
        )
        axes = axes[:, 0]
    axes = np.atleast_1d(axes)
    colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(losses)}
    colours |= {f"w({name})": colour for name, colour in colours.items()}
    for panel, (label, names) in zip(axes, panels, strict=False):
        curves(panel, history, names, colours)
        panel.set_ylabel(label)
    axes[min(len(panels), len(axes)) - 1].set_xlabel("step")
    return axes[0].figure, axes


def curves(panel: Any, history: History, names: Sequence[str], colours: Mapping[str, str] | None = None) -> None:
    """Some names of a history as curves; on a logarithmic axis where all are positive and their range is wide."""
    styles = ("-", "--", ":", "-.")
    for k, name in enumerate(names):
        panel.plot(
            history.steps(name),
            history[name],
            label=name,
            color=(colours or {}).get(name, COLOURS[k % len(COLOURS)]),
            linestyle=styles[k // len(COLOURS) % len(styles)],
            linewidth=1.2,
        )
    values = np.concatenate([history[name] for name in names]) if names else np.zeros(0)
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > WIDE * values.min():
        panel.set_yscale("log")
    panel.locator_params(axis="x", nbins=5, integer=True)
    panel.legend(loc="best", fontsize="small", ncols=1 + len(names) // 5)
