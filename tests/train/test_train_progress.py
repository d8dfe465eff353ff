"""The bar: what it says, where it is silent, and that it cannot break training."""

import io
import sys
import types

import pytest

from pinnace.train.progress import Progress


class Terminal(io.StringIO):
    """A stream that says that it is a terminal, and breaks after some writes."""

    def __init__(self, lasts=10**9, error=OSError):
        super().__init__()
        self.left, self.error = lasts, error

    def isatty(self):
        return True

    def write(self, text):
        self.left -= 1
        if self.left < 0:
            raise self.error("gone")
        return super().write(text)


def drive(stream, monkeypatch, values=None, chunks=(1, 9, 90)):
    monkeypatch.setattr(sys, "stderr", stream)
    bar = Progress(100, True)
    for count in chunks:
        bar.advance(count, {"total": 0.25, "w(pde)": float("nan")} if values is None else values)
    bar.close()
    bar.close()
    return bar


def test_it_compiles_then_tells_losses_and_weights(monkeypatch):
    stream = Terminal()
    drive(stream, monkeypatch)
    lines = stream.getvalue().split("\r")
    assert "compiling:" in lines[1] and "0/100" in lines[1]
    assert "compiling" not in lines[2] and "1/100" in lines[2] and "?step/s" in lines[2]
    assert "100/100" in lines[-1] and "total=0.25 w(pde)=nan" in lines[-1]


def test_of_many_values_the_first_are_told(monkeypatch):
    stream = Terminal()
    drive(stream, monkeypatch, {f"l{k}": float(k) for k in range(30)})
    assert "l5=5 and 24 more" in stream.getvalue() and "l6" not in stream.getvalue()


def test_it_is_silent_where_nobody_looks(monkeypatch):
    stream = io.StringIO()
    drive(stream, monkeypatch)
    assert stream.getvalue() == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    Progress(10, False).advance(1, {})
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("error", [OSError, ValueError, BrokenPipeError, RuntimeError])
@pytest.mark.parametrize("lasts", [0, 1, 3, 4])
def test_a_terminal_that_goes_away_ends_the_bar_only(monkeypatch, lasts, error):
    bar = drive(Terminal(lasts, error), monkeypatch)
    assert bar._bar is None


def test_streams_that_are_none_or_closed_are_no_terminal(monkeypatch):
    drive(None, monkeypatch)
    closed = Terminal()
    closed.close()
    drive(closed, monkeypatch)
    gone = io.StringIO()
    gone.close()
    drive(gone, monkeypatch)


def test_notebooks_have_a_text_bar_without_widgets(monkeypatch):
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr("pinnace.train.progress.find_spec", lambda name: None)
    stream = io.StringIO()
    drive(stream, monkeypatch)
    assert "100/100" in stream.getvalue()
