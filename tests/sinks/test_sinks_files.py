"""Sinks that write files: what stands in them, and what is left of it after kills, resumes and full disks."""

import csv
import errno
import io
import json
import math
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import ml_dtypes
import numpy as np
import pandas
import pytest

import pinnace as pn
from pinnace.sinks import _log

KINDS = {"csv": pn.sinks.csv, "jsonl": pn.sinks.jsonl}


def read(path):
    """What a file says, `{step: {name: number}}`, read by the standard library."""
    if path.suffix == ".jsonl":
        rows = [json.loads(line, parse_constant=pytest.fail, parse_int=float) for line in path.read_text().splitlines()]
        return {row.pop("step"): row for row in rows}
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert all(None not in row and None not in row.values() for row in rows), "ragged"
    return {int(row.pop("step")): {k: float(v) for k, v in row.items() if v} for row in rows}


def totals(path):
    return {step: row["total"] for step, row in read(path).items()}


def row(step):
    return {"total": np.float64(step / 7)} | ({"rare": np.float64(step)} if step % 5 == 0 else {})


def write(sink, steps, rows=row):
    for step in steps:
        sink(step, rows(step))
    sink.flush()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def path(kind, tmp_path):
    return tmp_path / "deep" / f"run.{kind}"


@pytest.fixture
def sink(kind, path):
    return lambda: KINDS[kind](path)


def test_every_step_has_a_row_in_which_rare_values_are_missing_between(sink, path):
    write(sink(), range(12))
    assert read(path) == {step: {k: float(v) for k, v in row(step).items()} for step in range(12)}


def test_nothing_is_written_before_the_flush_or_a_batch(sink, path, monkeypatch):
    log = sink()
    monkeypatch.setattr(_log, "BATCH", 8)
    for step in range(7):
        log(step, row(step))
    assert not path.exists()
    log(7, row(7))
    assert len(read(path)) == 8


def test_a_sink_flushes_by_protocol(sink):
    assert isinstance(sink(), pn.sinks.Flushing)
    assert not isinstance(print, pn.sinks.Flushing)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ml_dtypes.bfloat16])
def test_numbers_come_back_bit_for_bit(sink, path, dtype):
    numbers = np.array([0.1, 1 / 3, 1e-30, -2.5e30, 12345678.9, 0.0, -0.0], dtype)
    write(sink(), range(len(numbers)), lambda step: {"total": numbers[step]})
    found = np.array(list(totals(path).values())).astype(dtype)
    assert found.tobytes() == numbers.tobytes()


def test_whole_numbers_and_truths_stay_what_they_are(tmp_path):
    values = {"count": np.int32(3), "yes": np.bool(True), "no": np.array([False, True])}
    for name, make in KINDS.items():
        write(make(tmp_path / f"run.{name}"), [0], lambda _: values)
    assert (tmp_path / "run.csv").read_text() == "step,count,yes,no[0],no[1]\n0,3,True,False,True\n"
    assert (tmp_path / "run.jsonl").read_text() == '{"step": 0, "count": 3, "yes": true, "no": [false, true]}\n'


def test_what_is_not_finite_is_told(tmp_path):
    values = {"total": np.float32(np.nan), "w": np.array([[np.inf, 1.0], [-np.inf, np.nan]])}
    for name, make in KINDS.items():
        write(make(tmp_path / f"run.{name}"), [0], lambda _: values)
    expected = {"total": np.nan, "w[0,0]": np.inf, "w[0,1]": 1.0, "w[1,0]": -np.inf, "w[1,1]": np.nan}
    np.testing.assert_equal(read(tmp_path / "run.csv")[0], expected)
    told = read(tmp_path / "run.jsonl")[0]
    assert told == {"total": "NaN", "w": [["Infinity", 1.0], ["-Infinity", "NaN"]]}
    assert math.isnan(float(told["total"])) and float(told["w"][0][0]) == math.inf


@pytest.mark.parametrize("name", ['a,"b"', "two\nlines", "\r", "{0}", "w\\n", "Größe ∂u/∂t", "", " x ", "'"])
def test_names_may_hold_anything(sink, path, name):
    write(sink(), range(3), lambda step: {name: np.float64(step), "total": np.float64(0)})
    write(sink(), range(2, 4), lambda step: {name: np.float64(step), "total": np.float64(0)})
    assert [values[name] for values in read(path).values()] == [0, 1, 2, 3]


def test_arrays_are_columns_or_nested_lists(tmp_path):
    values = {"w": np.arange(4.0).reshape(2, 2), "none": np.zeros(0), "one": np.array(7.0)}
    for name, make in KINDS.items():
        write(make(tmp_path / f"run.{name}"), [0], lambda _: values)
    assert read(tmp_path / "run.csv")[0] == {"w[0,0]": 0, "w[0,1]": 1, "w[1,0]": 2, "w[1,1]": 3, "one": 7}
    assert read(tmp_path / "run.jsonl")[0] == {"w": [[0, 1], [2, 3]], "none": [], "one": 7}


@pytest.mark.parametrize("flushed", [True, False])
def test_a_name_that_comes_late_gets_a_column(tmp_path, flushed):
    log = pn.sinks.csv(tmp_path / "run.csv")
    write(log, range(1, 4))
    for step in range(4, 8):
        log(step, row(step) | ({"later": np.float64(-1)} if step == 7 else {}))
        if flushed:
            log.flush()
    log.flush()
    assert (tmp_path / "run.csv").read_text().splitlines()[0] == "step,total,rare,later"
    assert read(tmp_path / "run.csv")[7] == {"total": 1, "later": -1}
    assert list(read(tmp_path / "run.csv")) == list(range(1, 8))
    assert [path.name for path in tmp_path.iterdir()] == ["run.csv"]


def test_order_of_names_may_change(sink, path):
    log = sink()
    log(0, {"a": np.float64(1), "b": np.float64(2), "c": np.float64(3)})
    log(1, {"c": np.float64(3), "a": np.float64(1)})
    log(2, {"b": np.float64(2), "d": np.array([4.0, 5.0]), "a": np.float64(1)})
    log.flush()
    rows = read(path)
    assert rows[1] == {"a": 1, "c": 3}
    assert rows[2]["b"] == 2 and rows[2]["a"] == 1


TORN = [("csv", b"1"), ("csv", b"10"), ("csv", b"10,0.1"), ("csv", b"10,1.4")]
TORN += [("jsonl", b'{"step": 10, "to'), ("jsonl", b'{"st'), ("jsonl", b"{"), ("csv", b""), ("jsonl", b"")]


@pytest.mark.parametrize("resumed", [0, 1, 7, 10, 14])
@pytest.mark.parametrize(("kind", "torn"), TORN, indirect=["kind"])
def test_a_run_that_is_resumed_goes_on_where_it_is(sink, path, resumed, torn):
    write(sink(), range(10))
    with open(path, "ab") as file:
        file.write(torn)
    write(sink(), range(resumed, 20), lambda step: {"total": np.float64(-1)} | row(step))
    assert list(read(path)) == [*range(min(resumed, 10)), *range(resumed, 20)]
    assert totals(path) == {step: step / 7 for step in read(path)}


def test_steps_that_come_again_take_the_place_of_those_that_were(sink, path):
    log = sink()
    write(log, range(10))
    for step in (8, 9, 10, 4, 5, 6):
        log(step, {"total": np.float64(-step)})
    log.flush()
    write(log, [6, 7], lambda step: {"total": np.float64(100 + step)})
    assert totals(path) == {0: 0, 1: 1 / 7, 2: 2 / 7, 3: 3 / 7, 4: -4, 5: -5, 6: 106, 7: 107}


def test_a_second_run_from_the_start_leaves_nothing_of_the_first(sink, path):
    write(sink(), range(10), lambda step: {"total": np.float64(1), "old": np.float64(2)})
    write(sink(), range(3), lambda step: {"total": np.float64(3)})
    assert read(path) == {step: {"total": 3} for step in range(3)}


OTHERS = [b"t,x\n1,2\n", b"hello", b"\x00\xff\n", b"\n", b"[1]\n", b'{"a": 1}\n', b'{"step": 1}\nx\n']
OTHERS += [b"step\n3\n2\n", b"step,a\n0,1\nx\n1,2\n", b"step,a\n0,1,2\n", b'step,"a\n', b"step,a,a\n"]
OTHERS += [b'{"step": 2}\n{"step": 1}\n', b'{"step": 2}\nnone']


@pytest.mark.parametrize("content", OTHERS)
def test_a_file_that_is_not_ours_is_an_error_before_anything_is_overwritten(sink, path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(pn.PinnaceError, match="nothing was overwritten"):
        sink()
    assert path.read_bytes() == content


def test_a_file_of_other_names_is_not_overwritten(sink, path):
    write(sink(), range(4), lambda step: {"reward": np.float64(step)})
    before = path.read_bytes()
    with pytest.raises(pn.PinnaceError, match=r"something else: reward; here there are rare, total"):
        sink()(0, row(0))
    assert path.read_bytes() == before


def test_a_file_that_somebody_else_writes_to_is_not_overwritten(sink, path):
    one, other = sink(), sink()
    write(one, range(3))
    write(other, range(3, 6))
    before = path.read_bytes()
    with pytest.raises(pn.PinnaceError, match="changed by somebody else"):
        write(one, range(3, 4))
    assert path.read_bytes() == before


def test_a_file_that_was_moved_away_is_begun_anew(sink, path):
    log = sink()
    write(log, range(3))
    path.rename(path.with_name("old"))
    write(log, range(3, 6))
    assert list(read(path)) == [3, 4, 5]


def test_a_folder_or_a_device_is_an_error(kind, tmp_path):
    with pytest.raises(pn.PinnaceError, match="is a folder"):
        KINDS[kind](tmp_path)
    with pytest.raises(pn.PinnaceError, match="no file in which"):
        KINDS[kind](os.devnull)


def test_the_working_directory_may_change(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = KINDS[kind](f"run.{kind}")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    write(log, range(2))
    assert (tmp_path / f"run.{kind}").exists()


@pytest.mark.parametrize("values", [{"step": np.float64(1)}, {"a": np.str_("x")}, {"a": np.array(["x"])}, {"a": None}])
def test_what_cannot_be_told_is_an_error(sink, values):
    with pytest.raises(pn.PinnaceError, match=r'called "step"|column "step"|takes numbers'):
        sink()(0, values)


def test_two_values_with_one_name_of_a_column_are_an_error(tmp_path):
    with pytest.raises(pn.PinnaceError, match=r'two values would share the column "w\[0\]"'):
        pn.sinks.csv(tmp_path / "run.csv")(0, {"w": np.zeros(2), "w[0]": np.float64(1)})


@contextmanager
def full_disk(size):
    """No file may grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("size", [1, 200, 1500])
def test_rows_of_a_full_disk_wait_and_nothing_is_garbled(sink, path, size):
    log = sink()
    if size > 1:
        write(log, range(5))
    before = path.read_bytes() if path.exists() else b""
    with full_disk(size):
        for step in range(5, 200):
            log(step, row(step))
        for _ in range(2):
            with pytest.raises(OSError) as told:
                log.flush()
            assert told.value.errno == errno.EFBIG
    assert (path.read_bytes() if path.exists() else b"") == before
    write(log, range(200, 210))
    assert totals(path) == {step: step / 7 for step in range(0 if size > 1 else 5, 210)}
    assert [there.name for there in path.parent.iterdir()] == [path.name]


def test_a_disk_that_stays_full_keeps_the_newest_rows(sink, path, monkeypatch):
    monkeypatch.setattr(_log, "LIMIT", 50)
    log = sink()
    with full_disk(1):
        for step in range(300):
            log(step, row(step))
            if step % 10 == 9:
                with pytest.raises(OSError):
                    log.flush()
    log.flush()
    assert list(read(path)) == list(range(250, 300))


def test_a_full_disk_while_the_header_grows_leaves_the_file(tmp_path):
    path = tmp_path / "run.csv"
    log = pn.sinks.csv(path)
    write(log, range(100))
    before = path.read_bytes()
    with full_disk(len(before) - 10):
        log(100, row(100) | {"later": np.float64(1)})
        with pytest.raises(OSError):
            log.flush()
    assert path.read_bytes() == before
    log.flush()
    assert len(read(path)) == 101 and read(path)[100]["later"] == 1


KILLED = """
import os, signal, sys
import numpy as np
import pinnace as pn
log = getattr(pn.sinks, sys.argv[1])(sys.argv[2])
for step in range(100):
    log(step, {"total": np.float64(step / 7)})
    if step % 10 == 9:
        log.flush()
    if step == 57:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_loses_nothing_that_was_flushed(sink, path, kind):
    done = subprocess.run([sys.executable, "-c", KILLED, kind, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert totals(path) == {step: step / 7 for step in range(50)}
    write(sink(), range(47, 60))
    assert totals(path) == {step: step / 7 for step in range(60)}


def test_pandas_reads_both(tmp_path):
    rows = [{"total": np.float64(v), "w": np.array([v, 1.0])} for v in (0.1, np.nan, np.inf)]
    for name, make in KINDS.items():
        write(make(tmp_path / f"run.{name}"), range(3), lambda step: rows[step])
    table = pandas.read_csv(tmp_path / "run.csv", index_col="step")
    np.testing.assert_equal(table["w[0]"].to_numpy(), [0.1, np.nan, np.inf])
    lines = pandas.read_json(io.StringIO((tmp_path / "run.jsonl").read_text()), lines=True)
    np.testing.assert_equal(lines["total"].astype(float).to_numpy(), [0.1, np.nan, np.inf])
