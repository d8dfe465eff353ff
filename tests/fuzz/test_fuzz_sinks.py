"""Files of sinks and tables of histories against a dict, whatever happens in between."""

import csv
import json
import os
import resource
import signal
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pinnace as pn
from pinnace.sinks import components
from pinnace.train import History

TIMES = int(os.environ.get("PINNACE_FUZZ", "1"))
NAMES = ["total", "pde", 'w("a,b")', "two\nlines", "{x}", "é", "\r", "w[0]", "step.", "lr(u)"]
SHAPES = [(), (), (2,), (0,), (2, 3), (1, 1, 1)]
DTYPES = ["float32", "float64", "int32", "int64", "bool"]
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 5e-324, 1e308, 0.1, 1 / 3, 2.0**53, -1.5]


@st.composite
def kinds(draw):
    """The names of a run, each with a dtype, a shape, and the steps at which it is logged."""
    names = draw(st.lists(st.one_of(st.sampled_from(NAMES), st.text(max_size=4)), min_size=1, max_size=5, unique=True))
    drawn = {}
    for name in names:
        shape = draw(st.sampled_from(SHAPES))
        if not {"step", *(c for k, v in drawn.items() for c in components(k, v[1]))} & {*components(name, shape)}:
            drawn[name] = draw(st.sampled_from(DTYPES)), shape, draw(st.integers(1, 4)), draw(st.integers(0, 3))
    return drawn


def value_of(name, step, dtype, shape):
    """Some value, the same whenever it is asked for; hard to write down."""
    rng = np.random.default_rng([step, *name.encode("utf-8", "surrogatepass")])
    numbers = rng.choice(SPECIAL, shape) if rng.random() < 0.5 else rng.normal(size=shape) * 10.0 ** rng.integers(-9, 9)
    if np.dtype(dtype).kind != "f":
        numbers = np.where(np.isfinite(numbers), np.clip(numbers, -1e9, 1e9), 7)
    with np.errstate(over="ignore"):
        return np.asarray(numbers).astype(dtype)[()]


def row_of(kinds, step):
    """What a step logs; names that begin later make columns that come late."""
    return {
        name: value_of(name, step, dtype, shape)
        for name, (dtype, shape, every, first) in kinds.items()
        if step % every == 0 and step >= first
    }


actions = st.lists(
    st.tuples(st.sampled_from(["steps", "back", "flush", "full", "killed", "torn"]), st.integers(0, 12)), max_size=12
)


@contextmanager
def no_file_beyond(size):
    """A full disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def lived_through(make, path, kinds, actions):
    """The rows that the file has to hold after all this."""
    sink, step, waiting, written = make(path), 0, {}, {}
    for what, number in [*actions, ("steps", 2), ("flush", 0)]:
        size = path.stat().st_size if path.exists() else 0
        match what:
            case "steps":
                for _ in range(number):
                    waiting = {old: row for old, row in waiting.items() if old < step}
                    waiting[step] = row_of(kinds, step) | {"total ": np.float64(step)}
                    sink(step, waiting[step])
                    step += 1
            case "back":
                step = max(0, step - number)
            case "flush" | "full":
                if waiting:
                    written = {old: row for old, row in written.items() if old < min(waiting)}
                with suppress(OSError), no_file_beyond(size + 5 * number if what == "full" else resource.RLIM_INFINITY):
                    sink.flush()
                    written, waiting = written | waiting, {}
            case "killed" | "torn":
                if what == "torn" and written and path.read_bytes().endswith(b"\n"):
                    row = path.read_bytes()[:-1].rpartition(b"\n")[2]
                    with open(path, "ab") as file:
                        file.write(row[:number])
                step, waiting, sink = max(0, step - number), {}, make(path)
    return written


def as_read(row):
    """A row of numbers as JSON lines have it."""
    words = {np.inf: "Infinity", -np.inf: "-Infinity"}

    def told(value):
        if isinstance(value, list):
            return [told(one) for one in value]
        return "NaN" if value != value else words.get(value, value) if isinstance(value, float) else value

    return {name: told(np.asarray(value).tolist()) for name, value in row.items()}


@settings(max_examples=25 * TIMES, suppress_health_check=list(HealthCheck))
@given(kinds=kinds(), actions=actions)
def test_json_lines_hold_every_row_to_the_last_bit(kinds, actions):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.jsonl")
        rows = lived_through(pn.sinks.jsonl, path, kinds, actions)
        read = [json.loads(line) for line in path.read_bytes().decode().split("\n")[:-1]]
    assert [row["step"] for row in read] == sorted(rows)
    for row in read:
        expected = rows[row.pop("step")]
        assert list(row) == list(expected)
        for name, value in as_read(expected).items():
            if np.asarray(expected[name]).dtype == np.float32:
                numbers = [np.ravel(np.array(one, object)) for one in (row[name], value)]
                assert [np.float32(float(x)).tobytes() for x in numbers[0]] == [
                    np.float32(float(x)).tobytes() for x in numbers[1]
                ]
            else:
                assert repr(row[name]) == repr(value)


@settings(max_examples=25 * TIMES, suppress_health_check=list(HealthCheck))
@given(kinds=kinds(), actions=actions)
def test_tables_hold_every_row_to_the_last_bit(kinds, actions):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.csv")
        rows = lived_through(pn.sinks.csv, path, kinds, actions)
        with open(path, newline="", encoding="utf-8") as file:
            header, *lines = csv.reader(file, strict=True)
    assert header[0] == "step" and len(set(header)) == len(header)
    assert all(len(line) == len(header) for line in lines)
    assert [int(line[0]) for line in lines] == sorted(rows)
    for line in lines:
        cells = {label: text for label, text in zip(header, line, strict=True) if text}
        expected = rows[int(cells.pop("step"))]
        numbers = {
            label: number
            for name, value in expected.items()
            for label, number in zip(components(name, np.shape(value)), np.ravel(value), strict=True)
        }
        assert cells.keys() == numbers.keys()
        for label, number in numbers.items():
            back = {"True": 1, "False": 0}.get(cells[label]) if number.dtype == bool else cells[label]
            assert np.array(back).astype(number.dtype).tobytes() == number.tobytes() or np.isnan(number)


@settings(max_examples=10 * TIMES, suppress_health_check=list(HealthCheck))
@given(kinds=kinds(), chunks=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_table_of_a_history_is_what_was_logged(kinds, chunks):
    history, first = History(), 0
    for count in chunks:
        steps = np.arange(first, first + count)
        for name, (dtype, shape, every, _) in kinds.items():
            due = steps[steps % every == 0]
            values = [value_of(name, step, dtype, shape) for step in due]
            history.append(name, due, np.array(values, dtype).reshape(len(due), *shape))
        first += count
    table = history.to_dataframe()
    for name, (_, shape, _, _) in kinds.items():
        for k, label in enumerate(components(name, shape)):
            there = table[label].dropna().astype(float)
            values = history[name].reshape(len(history[name]), -1)[:, k].astype(float)
            kept = ~np.isnan(values)
            assert list(there.index) == list(history.steps(name)[kept])
            np.testing.assert_array_equal(there.to_numpy(), values[kept])
