"""Tables of HTML: of what was logged, and of anything else."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

CELL = 'style="text-align:left;vertical-align:middle"'
MANY = 40
"""Rows of a table that are shown."""

Row = Sequence[str]
"""The cells of a row, as HTML."""


def history_table(history: Any, ordered: Sequence[str] = (), kinds: Mapping[str, str] | None = None) -> str:
    """First, last and lowest values of what a History holds, by name; some names first, with what kind they are."""
    rows = []
    for name in dict.fromkeys((*ordered, *history)):
        values = history[name]
        kind = (kinds or {}).get(name, "rate" if name.startswith("lr(") else "")
        ends = [number(values[0]), number(values[-1])] if len(values) else ["", ""]
        rows.append([escape(name), kind, str(len(values)), *ends, _lowest(history, name)])
    return table("", ["", "", "rows", "first", "last", "lowest"], rows)


def _lowest(history: Any, name: str) -> str:
    values, steps = history[name], history.steps(name)
    if values.ndim > 1 or not np.isfinite(values).any():
        return ""
    row = int(np.nanargmin(np.where(np.isfinite(values), values, np.nan)))
    return f"{number(values[row])} at {steps[row]}"


def last(history: Any, name: str) -> str:
    """The last value under a name; nothing where there is none."""
    return number(history[name][-1]) if name in history and len(history[name]) else ""


def number(value: Any) -> str:
    """A number with three digits; of an array the shape."""
    return f"{float(value):.3g}" if np.ndim(value) == 0 else f"array {list(np.shape(value))}"


def counted(number: int, what: str) -> str:
    """So many of something."""
    plural = {1: what}.get(number, f"{what}es" if what.endswith("s") else f"{what}s")
    return f"{number:,} {plural}"


def table(title: str, heads: Sequence[str], rows: Iterable[Row]) -> str:
    """A table, without the columns that are empty; without rows it is none."""
    shown = list(rows)
    kept = [k for k in range(len(heads)) if any(row[k] for row in shown)]
    if not kept:
        return ""
    left_out = len(shown) - MANY
    lines = ["".join(f"<th {CELL}>{[title, *heads[1:]][k]}</th>" for k in kept)]
    lines += ["".join(f"<td {CELL}>{row[k]}</td>" for k in kept) for row in shown[:MANY]]
    if left_out > 0:
        lines.append(f'<td {CELL} colspan="{len(kept)}">... and {left_out} more</td>')
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def page(head: str, *parts: str) -> str:
    """A line and what stands below it."""
    return f"<div><div>{head}</div>{''.join(parts)}</div>"
