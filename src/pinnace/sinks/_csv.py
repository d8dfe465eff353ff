"""Comma-separated values."""

import csv as text_of
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pinnace._errors import PinnaceError
from pinnace.sinks._components import components
from pinnace.sinks._log import Found, Log, check_path, check_related, foreign, numbers_of, rows_of, shapes_of

TORN = re.compile(rb"\d+(?:,[^\n]*)?")


class Table(Log):
    """A row a step and a column a number; made by `csv`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path)
        self._columns: list[str] = []
        self._owners: dict[str, str] = {}
        self._rows_of_kind: dict[tuple[Any, ...], str] = {}
        self._begin, self._head = 0, ()
        self._look()

    def _look(self) -> Found:
        """What the file holds; where its rows begin, and its header, are kept."""
        check_path(self.path, ".csv")
        self._begin, self._head = 0, ()
        if not self.path.exists() or not self.path.stat().st_size:
            return Found(frozenset(), [], [], 0)
        with open(self.path, "rb") as file:
            lines = iter(file.readline, b"")
            try:
                names = next(text_of.reader((line.decode() for line in lines), strict=True))
            except (text_of.Error, UnicodeDecodeError):
                names = []
            self._begin = file.tell()
            if names[:1] != ["step"] or len(set(names)) < len(names):
                file.seek(0)
                raise foreign(self.path, file.readline())
            self._head = tuple(names[1:])
            whole = re.compile(rb"(\d+)" + rb",[^,\n]*" * len(self._head) + rb"\n")
            return rows_of(self.path, file, frozenset(self._head), whole, TORN)

    def _rewind(self, step: int, values: Mapping[str, Any]) -> None:
        found = self._look()
        labels = (components(name, shape) for name, shape in shapes_of(values).items())
        check_related(self.path, found, {label for several in labels for label in several})
        self._end, self._size = found.place(self._first(step)), None
        if self._end == self._begin:
            self._head = ()
        elif not self._columns:
            self._columns = list(self._head)
        elif self._head != tuple(self._columns)[: len(self._head)]:
            raise foreign(self.path, _header(self._head))

    def _row(self, step: int, values: Mapping[str, Any]) -> bytes:
        numbers, kind = numbers_of(values)
        row = self._rows_of_kind.get(kind)
        if row is None:
            row = self._rows_of_kind[kind] = self._pattern(shapes_of(values))
        return row.format(step, *numbers).encode()

    def _pattern(self, shapes: Mapping[str, tuple[int, ...]]) -> str:
        """What a row looks like: the place of each number among the columns."""
        labels = {name: components(name, shape) for name, shape in shapes.items()}
        self._claim(labels)
        given = {label: k for k, label in enumerate(label for several in labels.values() for label in several)}
        cells = [f"{{{given[label] + 1}!s}}" if label in given else "" for label in self._columns]
        return ",".join(("{0}", *cells)) + "\n"

    def _claim(self, labels: Mapping[str, list[str]]) -> None:
        """New columns behind those that there are, empty in the rows before."""
        for name, label in ((name, label) for name, several in labels.items() for label in several):
            if label == "step" or self._owners.setdefault(label, name) != name:
                raise PinnaceError(
                    f'two values would share the column "{label}" of {self.path}; give one of them another name.'
                )
        known = len(self._columns)
        self._columns = list(dict.fromkeys([*self._columns, *(one for several in labels.values() for one in several)]))
        if new := len(self._columns) - known:
            self._rows = [(step, _wider(row, new)) for step, row in self._rows]
            self._rows_of_kind.clear()

    def _prepare(self) -> None:
        """A file whose header has all columns."""
        columns = tuple(self._columns)
        if not self._end:
            self._begin, self._head = 0, ()
        if columns == self._head and self._begin:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with open(temporary, "wb") as wide:
                begin = wide.write(_header(columns))
                for row in self._old_rows():
                    wide.write(_wider(row, len(columns) - len(self._head)))
                end = wide.tell()
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)
        self._begin, self._end, self._size, self._head = begin, end, end, columns

    def _old_rows(self) -> Iterator[bytes]:
        if self._end > self._begin:
            with open(self.path, "rb") as narrow:
                narrow.seek(self._begin)
                while narrow.tell() < self._end:
                    yield narrow.readline()


def csv(path: str | os.PathLike[str]) -> Table:
    """A sink that writes a table: a row a step, a column a number, comma-separated.

    The columns are "step" and the names; a value that is an array has one a component, "w[0]" or "w[1,2]". What a step
    does not log is an empty cell. A name that comes later gets a column at the end, and the file is written anew for
    it. What is not finite is "nan", "inf" and "-inf".

    A run that is resumed goes on in the same file, and what stood there of its steps and later ones gives way.
    Raises PinnaceError where the file holds something else; nothing is overwritten then.

    >>> import pathlib, tempfile, numpy as np, pinnace as pn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "run.csv")
    ...     sink = pn.sinks.csv(file)
    ...     sink(0, {"total": np.float32(0.3), "w": np.array([1.0, 2.5])})
    ...     sink(1, {"total": np.float32(0.1)})
    ...     sink.flush()
    ...     print(file.read_text(), end="")
    step,total,w[0],w[1]
    0,0.3,1.0,2.5
    1,0.1,,
    """
    return Table(path)


def _header(columns: tuple[str, ...]) -> bytes:
    # By hand: before Python 3.13 the writer of csv leaves a carriage return without quotes.
    quoted = ('"' + name.replace('"', '""') + '"' if re.search('[,"\r\n]', name) else name for name in columns)
    return ",".join(("step", *quoted)).encode() + b"\n"


def _wider(row: bytes, cells: int) -> bytes:
    return row[:-1] + b"," * cells + b"\n" if cells else row
