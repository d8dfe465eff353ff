"""A file with a row for each step: rows wait in memory, and go into the file together."""

import os
import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pinnace._errors import PinnaceError

BATCH = 5_000
"""So many rows are written even where nobody asks for it."""
LIMIT = 20 * BATCH
"""So many rows are kept while the disk is full; of more the oldest go."""


class Log(ABC):
    """Rows that wait until `flush` appends them to a file: all of them, or none where that fails.

    A row of a step that is there already, after a resume or a step back, takes its place and that of all behind it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self._rows: list[tuple[int, bytes]] = []
        self._newest: int | None = None
        self._end = 0
        self._size: int | None = None  # of the file, where we were the last to write

    def __call__(self, step: int, values: Mapping[str, Any], /) -> None:
        """Take the values of one step."""
        if self._newest is None or step <= self._newest:
            while self._rows and self._rows[-1][0] >= step:
                self._rows.pop()
            self._rewind(step, values)
        row = self._row(step, values)  # may widen those that wait
        self._rows.append((step, row))
        self._newest = step
        if len(self._rows) % BATCH == 0:
            self.flush()

    def flush(self) -> None:
        """Append the rows that wait to the file. After an error they still wait, and the file has all rows before."""
        if not self._rows:
            return
        data = b"".join(row for _, row in self._rows)
        try:
            self._check()
            self._cut()
            self._prepare()
            self._append(data)
        except (OSError, PinnaceError):
            del self._rows[:-LIMIT]
            raise
        self._rows.clear()

    def _first(self, step: int) -> int:
        """The step of the first row that is not in the file yet, `step` itself where none waits."""
        return self._rows[0][0] if self._rows else step

    def _check(self) -> None:
        if not self.path.exists():
            self._end, self._size = 0, None
        elif self._size is not None and self.path.stat().st_size != self._size:
            raise PinnaceError(
                f"{self.path} was changed by somebody else while this run wrote to it. Give each run a file of its "
                f"own; nothing was overwritten."
            )

    def _cut(self) -> None:
        """Nothing stands where the next row goes."""
        if self.path.exists() and self.path.stat().st_size > self._end:
            os.truncate(self.path, self._end)

    def _append(self, data: bytes) -> None:
        try:
            with open(self.path, "r+b") as file:
                file.seek(self._end)
                file.write(data)
        except OSError:
            self._size = None
            with suppress(OSError):
                self._cut()
            raise
        self._end += len(data)
        self._size = self._end

    @abstractmethod
    def _rewind(self, step: int, values: Mapping[str, Any]) -> None:
        """The next row is that of `step`: find its place in the file."""

    @abstractmethod
    def _row(self, step: int, values: Mapping[str, Any]) -> bytes:
        """The values of a step as they stand in the file."""

    @abstractmethod
    def _prepare(self) -> None:
        """A file in which rows may begin at `_end`."""


@dataclass(frozen=True)
class Found:
    """What a file holds: the names in it, its steps, and where in it the row of each begins and the last one ends."""

    names: Set[str]
    steps: list[int]
    begins: list[int]
    end: int

    def place(self, step: int) -> int:
        """Where the row of a step belongs: before the rows of this step and later ones."""
        k = bisect_left(self.steps, step)
        return self.begins[k] if k < len(self.steps) else self.end


def rows_of(path: Path, file: BinaryIO, names: Set[str], whole: re.Pattern[bytes], torn: re.Pattern[bytes]) -> Found:
    """The rows of a file from where it is read; of the last line there may be a part only, after a kill.

    Raises PinnaceError at the first other line that is no row: the file is not ours.
    """
    end, steps, begins = file.tell(), [], []
    for line in file:
        if not line.endswith(b"\n") and torn.fullmatch(line):
            break
        match = whole.fullmatch(line)
        if match is None or (steps and int(match[1]) <= steps[-1]):
            raise foreign(path, line)
        steps.append(int(match[1]))
        begins.append(end)
        end += len(line)
    return Found(names, steps, begins, end)


def foreign(path: Path, line: bytes) -> PinnaceError:
    """The error about a file that holds something else."""
    shown = line[:60].decode(errors="replace").rstrip()
    return PinnaceError(
        f'{path} holds "{shown}", which no sink of this kind wrote. Move the file away, or log to another one; nothing '
        f"was overwritten."
    )


def check_path(path: Path, suffix: str) -> None:
    """Raise PinnaceError for what is there and no file."""
    if path.is_dir():
        raise PinnaceError(f"{path} is a folder; a sink writes to a file, for example {path / ('run' + suffix)}.")
    if path.exists() and not path.is_file():
        raise PinnaceError(f"{path} is no file in which a run that is resumed could go on.")


def numbers_of(values: Mapping[str, Any]) -> tuple[list[np.generic], tuple[Any, ...]]:
    """All numbers in a row, and what tells rows apart whose numbers mean something else: names, shapes of arrays."""
    numbers, shapes = [], []
    for name, value in values.items():
        if isinstance(value, np.generic):
            numbers.append(value)
        else:
            value = np.asarray(value)
            numbers.extend(value.flat)
            shapes.append((name, value.shape))
    return numbers, (*values, *shapes)


def shapes_of(values: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of each value. Raises PinnaceError for what is no number."""
    arrays = {name: np.asarray(value) for name, value in values.items()}
    for name, value in arrays.items():
        if value.dtype.kind in "OSUMm":
            raise PinnaceError(f'a sink takes numbers and arrays of them; "{name}" is {values[name]!r}.')
    return {name: value.shape for name, value in arrays.items()}


def check_related(path: Path, found: Found, names: Set[str]) -> None:
    """Raise PinnaceError where a file has rows, but nothing that is logged now."""
    if found.steps and not found.names & names:
        theirs, ours = (", ".join(sorted(some)[:4]) for some in (found.names, names))
        raise PinnaceError(
            f"{path} holds the rows of something else: {theirs}; here there are {ours}. Move the file away, or log to "
            f"another one; nothing was overwritten."
        )
