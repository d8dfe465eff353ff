"""A history as curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pinnace._errors import PinnaceError
from pinnace.canvas import COLOURS, flat, new_panels
from pinnace.train.history import History

WIDE = 5
"""From which ratio of largest to smallest a logarithmic axis tells more."""
STYLES = ("-", "--", ":", "-.")
MOST = 2000
"""Values of a curve that a panel has room for."""
APART = 4
"""Up to so many trackers have a panel each."""
FEW = 4
"""Names that fit into a panel; more stand beside it."""
COMPONENTS = 8
"""Components of an array that are drawn one by one; of more of them, the range."""


def draw(
    history: History, losses: Sequence[str], weights: Sequence[str], axes: Any = None, few: int = FEW
) -> tuple[Any, Any]:
    """Losses, weights, what else is tracked, and rates over the steps, one panel each: (figure, axes).

    Into given axes, as many of these as there are axes. More than a `few` names stand beside their panel.
    """
    rates = [name for name in history if name.startswith("lr(")]
    others = [name for name in history if name not in {*losses, *rates, *weights}]
    tracked = [[name] for name in others] if len(others) <= APART else [others]
    groups = [("loss", list(losses)), ("weight", list(weights)), *(("tracked", names) for names in tracked)]
    groups = [(label, [name for name in names if name in history]) for label, names in [*groups, ("rate", rates)]]
    return _figure(history, [(label, names) for label, names in groups if names], losses, axes, few)


def draw_weights(history: History, losses: Sequence[str], weights: Sequence[str], axes: Any = None) -> tuple[Any, Any]:
    """Weights over the steps and, where their losses are known, what each adds to the total: (figure, axes).

    Raises PinnaceError where no weight was logged.
    """
    logged = [name for name in weights if name in history]
    if not logged:
        raise PinnaceError(
            "no weights were logged. Add their trackers to the entries of core, for example "
            "core([w_pde * pde, w_bc * bc, w_pde.tracker(), w_bc.tracker()])."
        )
    weighed = {f"w({name})": name for name in losses if name in history}
    products, names = History(), []
    for name in logged:
        products.append(name, history.steps(name), history[name])
        if name in weighed:
            steps, inner = history.steps(name), history.steps(weighed[name])
            _, here, there = np.intersect1d(steps, inner, return_indices=True)
            names.append(f"{name} {weighed[name]}")
            products.append(names[-1], steps[here], history[name][here] * history[weighed[name]][there])
    groups = [("weight", logged), *([("weighted loss", names)] if names else [])]
    return _figure(products, groups, [*losses], axes)


def _figure(
    history: History, groups: Sequence[tuple[str, list[str]]], losses: Sequence[str], axes: Any, few: int = FEW
) -> tuple[Any, Any]:
    groups = groups or [("loss", [])]
    rows = len(groups) if axes is None else min(len(groups), len(flat(axes)))
    beside = any(len(names) > few for _, names in groups)
    given = None if axes is None else flat(axes)[:rows]
    size = (9.5 if beside else 7.0, 0.4 + (2.4 if rows > 1 else 3.2) * rows)
    panels = new_panels(rows, 1, size, given, sharex=True)[:, 0]
    colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(losses)}
    colours |= {f"w({name}){behind}": colours[name] for name in list(losses) for behind in ("", f" {name}")}
    for panel, (label, names) in zip(panels, groups, strict=False):
        curves(panel, history, names, colours, few)
        panel.set_ylabel(label)
    panels[-1].set_xlabel("step")
    if axes is None:
        panels[0].figure.align_ylabels(panels)
    return panels[0].figure, panels


def curves(
    panel: Any, history: History, names: Sequence[str], colours: Mapping[str, str] | None = None, few: int = FEW
) -> None:
    """Some names of a history as curves; on a logarithmic axis where all are positive and their range is wide.

    Values that are not finite leave a gap; the components of arrays are curves of their own, or a range around their
    median.
    """
    from matplotlib.ticker import MaxNLocator

    drawn = []
    for k, name in enumerate(names):
        style = {
            "color": (colours or {}).get(name, COLOURS[k % len(COLOURS)]),
            "linestyle": STYLES[k // len(COLOURS) % len(STYLES)],
        }
        values = np.asarray(history[name], float)
        drawn.append(values[np.isfinite(values)])
        if values.ndim == 1:
            _curve(panel, history.steps(name), values, label=_plain(name), **style)
        else:
            _array(panel, history.steps(name), values, name, k, style)
    values = np.concatenate(drawn) if drawn else np.zeros(0)
    if values.size and values.min() > 0 and values.max() > WIDE * values.min():
        panel.set_yscale("log")
    elif values.size and values.min() == 0 and values.max() > 0:
        _log_above_zero(panel, values)
    steps = np.unique(np.concatenate([np.zeros(0, int), *(history.steps(name) for name in names)]))
    # where axes are shared, ticks of one panel are those of all
    if len(steps) > 1 or len(panel.get_shared_x_axes().get_siblings(panel)) > 1:
        panel.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    else:  # no range to be told
        panel.set_xticks(steps)
    if not values.size:
        panel.set_yticks([])
        told = "no step was logged" if not sum(len(history[name]) for name in names) else "no value is finite"
        panel.text(0.5, 0.5, told, transform=panel.transAxes, ha="center", va="center", color="0.4")
    handles, _ = panel.get_legend_handles_labels()
    beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.03), "ncols": 1 + (len(handles) - 1) // 14}
    if handles:
        panel.legend(fontsize="small", **(beside if len(handles) > few else {"loc": "best"}))
    _tell_end(panel, history, names)


def _curve(panel: Any, steps: np.ndarray, values: np.ndarray, **style: Any) -> None:
    kept = thinned(values)
    alone = {"marker": "."} if len(values) == 1 else {}
    panel.plot(steps[kept], np.where(np.isfinite(values), values, np.nan)[kept], linewidth=1.2, **alone, **style)


def _array(panel: Any, steps: np.ndarray, values: np.ndarray, name: str, k: int, style: dict[str, Any]) -> None:
    """The components of arrays as curves, or where there are many their range and median."""
    table = values.reshape(len(values), -1)
    if table.shape[1] <= COMPONENTS:
        for j, index in enumerate(np.ndindex(values.shape[1:])):
            colour = COLOURS[(k + j) % len(COLOURS)]
            label = f"{_plain(name)}[{', '.join(map(str, index))}]"
            _curve(panel, steps, table[:, j], label=label, **style | {"color": colour})
        return
    known = np.isfinite(table).any(axis=1)
    steps, table = steps[known], np.where(np.isfinite(table), table, np.nan)[known]
    low, middle, high = (np.nanquantile(table, share, axis=1) for share in (0.0, 0.5, 1.0))
    panel.fill_between(steps, low, high, color=style["color"], alpha=0.25, linewidth=0)
    _curve(panel, steps, middle, label=f"{_plain(name)}, median and range of {table.shape[1]}", **style)


def thinned(values: np.ndarray) -> np.ndarray:
    """Which values to draw of very many: the lowest and the highest of neighbours, and the two ends."""
    count = len(values)
    if count <= MOST:
        return np.arange(count)
    edges = np.linspace(0, count, MOST // 2 + 1).astype(int)[:-1]
    whole = np.where(np.isfinite(values), values, np.nan)
    low = np.minimum.reduceat(np.nan_to_num(whole, nan=np.inf), edges)
    high = np.maximum.reduceat(np.nan_to_num(whole, nan=-np.inf), edges)
    part = np.repeat(np.arange(len(edges)), np.diff([*edges, count]))
    ends = (whole == low[part]) | (whole == high[part]) | np.isnan(whole)
    ends[[0, -1]] = True
    found = np.flatnonzero(ends)
    # of equal values, and of gaps, the first and the last are enough
    keys = part[found] * 3 + np.where(np.isnan(whole[found]), 2, whole[found] == high[part[found]])
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    last = np.flatnonzero(np.diff(keys, append=-1))
    return found[np.union1d(first, last)]


def _log_above_zero(panel: Any, values: np.ndarray) -> None:
    """A logarithmic axis on which exact zeros are below."""
    positive = values[values > 0]
    if positive.max() > WIDE * positive.min():
        panel.set_yscale("log", nonpositive="mask")
        panel.set_ylim(bottom=0.5 * positive.min())


def _tell_end(panel: Any, history: History, names: Sequence[str]) -> None:
    """Where a value was no longer finite."""
    bad = [np.flatnonzero(~np.isfinite(history[name]).reshape(len(history[name]), -1).all(axis=1)) for name in names]
    first = [int(history.steps(name)[rows[0]]) for name, rows in zip(names, bad, strict=True) if rows.size]
    if first:
        panel.axvline(min(first), color="0.4", linestyle=":", linewidth=1)
        panel.annotate(
            f"not finite at step {min(first)}",
            (min(first), 0.03),
            xycoords=("data", "axes fraction"),
            xytext=(-3, 0),
            textcoords="offset points",
            ha="right",
            fontsize="small",
            color="0.4",
        )


def _plain(name: str) -> str:
    """A name in which dollars are dollars, and which a legend does not hide."""
    shown = name if len(name) <= 40 else f"{name[:18]} ... {name[-17:]}"
    return ("\u200b" if shown.startswith("_") else "") + shown.replace("$", r"\$")
