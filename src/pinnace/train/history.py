"""What was logged: one row a step, as NumPy arrays by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnace._errors import PinnaceError, did_you_mean
from pinnace.train.frame import frame
from pinnace.train.tables import counted, history_table, page


@dataclass
class Column:
    """The values logged under one name, and the steps they belong to."""

    values: list[np.ndarray]
    steps: list[np.ndarray]


class History(Mapping[str, np.ndarray]):
    """Everything logged, by name: `history["pde"]` is an array `[rows, *shape]`, one row for each logged step.

    There are "total", every raw loss, the rate of every field that has a schedule ("lr(u)"), and every tracker.
    """

    def __init__(self) -> None:
        self._columns: dict[str, Column] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        return self._joined(name, "values")

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def _repr_html_(self) -> str:
        return page(f"<b>History</b> of {counted(len(self), 'name')}", history_table(self))

    def __repr__(self) -> str:
        rows = {name: sum(map(len, column.steps)) for name, column in self._columns.items()}
        return "History(" + ", ".join(f"{name}: {count} rows" for name, count in rows.items()) + ")"

    def steps(self, name: str) -> np.ndarray:
        """The steps that the rows of a name belong to, `[rows]`."""
        return self._joined(name, "steps")

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame: a row a step, index "step", a column a name, or a component of one: "w[0]", "w[1,2]".

        What a step did not log is NaN. Raises PinnaceError without pandas: `pip install "pinnace[pandas]"`.
        """
        return frame(self, {name: self.steps(name) for name in self})

    def append(self, name: str, steps: np.ndarray, values: np.ndarray) -> None:
        """More rows under a name."""
        column = self._columns.setdefault(name, Column([], []))
        column.values.append(values)
        column.steps.append(steps)

    def extend(self, other: "History") -> None:
        """The rows of another history behind these."""
        for name in other:
            self.append(name, other.steps(name), other[name])

    def cut(self, end: int) -> None:
        """Forget the rows from step `end` on."""
        for name in list(self._columns):
            steps, values = self.steps(name), self[name]
            self._columns[name] = Column([values[steps < end]], [steps[steps < end]])

    def _joined(self, name: str, part: str) -> np.ndarray:
        if name not in self._columns:
            raise PinnaceError(
                f'nothing was logged as "{name}".{did_you_mean(name, self._columns)} There are: '
                f"{', '.join(self._columns) or 'no rows yet'}."
            )
        column = self._columns[name]
        parts = column.values if part == "values" else column.steps
        if len(parts) > 1:
            parts[:] = [np.concatenate(parts)]
        return parts[0]


@dataclass(frozen=True)
class Layout:
    """Which names a row of the step holds, in its order, and how often each is logged."""

    losses: tuple[str, ...]
    rates: tuple[tuple[str, ...], ...]
    """The names of the fields behind each rate."""
    trackers: tuple[tuple[str, int], ...]

    def columns(self, row: Any) -> list[tuple[str, int, np.ndarray]]:
        """(name, every, values) of the arrays of a row, or of many rows at once."""
        losses = [(name, 1, row.losses[..., k]) for k, name in enumerate(self.losses)]
        rates = [(f"lr({name})", 1, rate) for names, rate in zip(self.rates, row.rates, strict=True) for name in names]
        trackers = [(name, every, value) for (name, every), value in zip(self.trackers, row.trackers, strict=True)]
        return [("total", 1, row.total), *losses, *rates, *trackers]


def record(histories: Sequence[History], layout: Layout, rows: Any, first: int, count: int) -> None:
    """Log the rows of a chunk, those of step `first` and after."""
    steps = np.arange(first, first + count)
    for name, every, values in layout.columns(rows):
        due = steps % every == 0
        kept = np.array(values[:count][due])
        for history in histories:
            history.append(name, steps[due], kept)
