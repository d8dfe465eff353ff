"""JSON lines."""

import itertools
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pinnace._errors import PinnaceError
from pinnace.sinks._log import Found, Log, check_path, check_related, numbers_of, rows_of, shapes_of

WHOLE = re.compile(rb'\{"step": (\d+)(?:, ".*)?\}\n')
TORN = re.compile(rb'\{(?:"(?:s(?:t(?:e(?:p(?:"(?::(?: (?:\d+(?:,.*|\})?)?)?)?)?)?)?)?)?)?')


class JsonLines(Log):
    """A JSON object a line; made by `jsonl`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path)
        self._rows_of_kind: dict[tuple[Any, ...], str] = {}
        self._look()

    def _look(self) -> Found:
        check_path(self.path, ".jsonl")
        if not self.path.exists():
            return Found(frozenset(), [], [], 0)
        with open(self.path, "rb") as file:
            found = rows_of(self.path, file, frozenset(), WHOLE, TORN)
            file.seek(0)
            names = json.loads(file.readline()).keys() if found.steps else frozenset()
        return Found(frozenset(names) - {"step"}, found.steps, found.begins, found.end)

    def _rewind(self, step: int, values: Mapping[str, Any]) -> None:
        found = self._look()
        check_related(self.path, found, set(values))
        self._end, self._size = found.place(self._first(step)), None

    def _row(self, step: int, values: Mapping[str, Any]) -> bytes:
        numbers, kind = numbers_of(values)
        row = self._rows_of_kind.get(kind)
        if row is None:
            row = self._rows_of_kind[kind] = _pattern(shapes_of(values))
        if not all(map(math.isfinite, numbers)) or np.bool in set(map(type, numbers)):
            return row.format(step, *map(_word, numbers)).encode()
        return row.format(step, *numbers).encode()

    def _prepare(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()


def jsonl(path: str | os.PathLike[str]) -> JsonLines:
    """A sink that writes a JSON object a line: `{"step": 0, "total": 0.3, "w": [1.0, 2.0]}`.

    Arrays are nested lists. JSON has no numbers for what is not finite: they are the texts "NaN", "Infinity" and
    "-Infinity", as in the JSON of protocol buffers, which `float` reads, and so does pandas.

    A run that is resumed goes on in the same file, and what stood there of its steps and later ones gives way.
    Raises PinnaceError where the file holds something else; nothing is overwritten then.

    >>> import pathlib, tempfile, numpy as np, pinnace as pn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "run.jsonl")
    ...     sink = pn.sinks.jsonl(file)
    ...     sink(0, {"total": np.float64(0.3), "w": np.array([1.0, np.nan])})
    ...     sink.flush()
    ...     print(file.read_text(), end="")
    {"step": 0, "total": 0.3, "w": [1.0, "NaN"]}
    """
    return JsonLines(path)


def _pattern(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """What a row looks like, numbers left out."""
    if "step" in shapes:
        raise PinnaceError('a value is called "step", like the number of the step; give it another name.')
    counted = itertools.count(1)
    parts = ['"step": {0}']
    for name, shape in shapes.items():
        key = json.dumps(name).replace("{", "{{").replace("}", "}}")
        parts.append(f"{key}: {_nested(shape, counted)}")
    return "{{" + ", ".join(parts) + "}}\n"


def _nested(shape: tuple[int, ...], counted: Iterator[int]) -> str:
    if not shape:
        return f"{{{next(counted)}!s}}"
    return "[" + ", ".join(_nested(shape[1:], counted) for _ in range(shape[0])) + "]"


def _word(number: np.generic) -> str:
    """A number as JSON has it, or what stands for it."""
    if isinstance(number, np.bool):
        return "true" if number else "false"
    value = float(number)
    if math.isfinite(value):
        return str(number)
    return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
