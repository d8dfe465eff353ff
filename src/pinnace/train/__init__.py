"""Training: chunks of steps, progress, history, outcome, the state in a file."""

from pinnace.canvas import COLOURS as COLOURS
from pinnace.canvas import Arrangement as Arrangement
from pinnace.canvas import given_axes as given_axes
from pinnace.canvas import new_figure as new_figure
from pinnace.canvas import new_panels as new_panels
from pinnace.train import stop as stop
from pinnace.train.best import Best as Best
from pinnace.train.checkpoint import Saved as Saved
from pinnace.train.checkpoint import load as load
from pinnace.train.crux import Crux as Crux
from pinnace.train.crux import core as core
from pinnace.train.curves import curves as curves
from pinnace.train.history import History as History
from pinnace.train.passage import Outcome as Outcome
from pinnace.train.run import Run as Run

__all__ = [
    "COLOURS",
    "Arrangement",
    "Best",
    "Crux",
    "History",
    "Outcome",
    "Run",
    "Saved",
    "core",
    "curves",
    "given_axes",
    "load",
    "new_figure",
    "new_panels",
    "stop",
]
