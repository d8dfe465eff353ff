"""Chunks of steps, one after the other, with everything that the host does between them."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pinnace.step import Recipe, State, run_chunk
from pinnace.train.history import History, Layout, record
from pinnace.train.processes import Processes
from pinnace.train.progress import Interrupt, Progress
from pinnace.train.run import Outcome, Run

CHUNK_SECONDS = 0.25
"""About how long the host waits for a chunk: at most half a second, so that Ctrl-C and the bar are quick."""

Sink = Callable[[int, dict[str, Any]], Any]


class Pace:
    """How many steps the next chunk should have, from how long the last one took."""

    def __init__(self) -> None:
        self.length = 1
        self._measured = False

    def note(self, count: int, seconds: float) -> None:
        """A chunk of so many steps took so long; the first one compiled, and says nothing."""
        if self._measured:
            fitting = int(CHUNK_SECONDS * count / max(seconds, 1e-9))
            self.length = max(1, min(fitting, 8 * self.length))
        else:
            self._measured, self.length = True, 8


def chunks(
    recipe: Recipe,
    numbers: PyTree,
    state: State,
    steps: int,
    *,
    keep: Callable[[State], None],
    run: Run,
    histories: Sequence[History],
    layout: Layout,
    progress: Progress,
    interrupt: Interrupt,
    processes: Processes,
    callbacks: Iterable[Callable[[Run], Any]],
    sinks: Sequence[Sink],
) -> None:
    """Take the steps; `keep` gets the state after each chunk, `run` how it ended."""
    last, pace, left = state, Pace(), steps
    length = pace.length
    while left > 0:
        began = time.perf_counter()
        first = int(state.step)
        chunk = run_chunk(recipe, numbers, state, last, np.asarray(min(left, length), jnp.result_type(int)))
        count = int(chunk.count)
        pace.note(count, time.perf_counter() - began)
        state, last = chunk.state, chunk.last
        rows = jax.tree.map(np.asarray, chunk.rows)
        record(histories, layout, rows, first, count)
        keep(state)
        left -= count
        newest = {name: values[count - 1] for name, _, values in layout.columns(rows)}
        progress.advance(count, {name: newest[name] for name in ("total", *layout.losses)})
        for sink in sinks:
            _pour(sink, layout, rows, first, count)
        if not bool(chunk.finite):
            run.outcome, run.message = Outcome.NONFINITE, blame(layout, newest, first + count - 1)
            return
        interrupted = interrupt.asked
        stopped = not interrupted and bool([callback for callback in callbacks if callback(run) is True])
        interrupted, stopped, length = processes.agree(interrupted, stopped, pace.length)
        if interrupted or stopped:
            run.outcome = Outcome.INTERRUPTED if interrupted else Outcome.STOPPED
            run.message = run.outcome.value
            return


def blame(layout: Layout, newest: dict[str, Any], step: int) -> str:
    """Which loss was no longer finite, at which step."""
    guilty = [name for name in (*layout.losses, "total") if not np.isfinite(newest[name])]
    return f'at step {step} the loss "{guilty[0]}" was {newest[guilty[0]]}; {Outcome.NONFINITE.value}'


def _pour(sink: Sink, layout: Layout, rows: Any, first: int, count: int) -> None:
    columns = layout.columns(rows)
    for k in range(count):
        step = first + k
        sink(step, {name: values[k] for name, every, values in columns if step % every == 0})
