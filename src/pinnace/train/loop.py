"""Chunks of steps, one after the other, with everything that the host does between them."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pinnace.step import Chunk, Recipe, State, run_chunk
from pinnace.train.history import History, Layout, record
from pinnace.train.pace import Pace
from pinnace.train.processes import Processes
from pinnace.train.progress import Interrupt, Progress
from pinnace.train.run import Outcome, Run

Sink = Callable[[int, dict[str, Any]], Any]


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
    pace: Pace,
    processes: Processes,
    callbacks: Iterable[Callable[[Run], Any]],
    sinks: Sequence[Sink],
) -> None:
    """Take the steps; `keep` gets the state after each chunk, `run` how it ended."""
    left, behind = steps, None
    _, _, length = processes.agree(False, False, pace.length)
    began = time.perf_counter()
    while left > 0:
        first = int(state.step)
        chunk = _steps(recipe, numbers, state, pace.chunk(left, length))
        count, finite = int(chunk.count), bool(chunk.finite)
        rows = jax.tree.map(np.asarray, chunk.rows)
        record(histories, layout, rows, first, count)
        began_at, state = state, chunk.state if finite else _last_finite(recipe, numbers, state, count, behind)
        behind = began_at, count
        keep(state)
        left -= count
        newest = {name: values[count - 1] for name, _, values in layout.columns(rows)}
        progress.advance(count, {name: newest[name] for name in ("total", *layout.losses)})
        for sink in sinks:
            _pour(sink, layout, rows, first, count)
        if not finite:
            run.outcome, run.message = Outcome.NONFINITE, blame(layout, newest, first + count - 1)
            return
        now = time.perf_counter()
        pace.note(count, now - began)
        began = now
        interrupted = interrupt.asked
        stopped = not interrupted and bool([callback for callback in callbacks if callback(run) is True])
        interrupted, stopped, length = processes.agree(interrupted, stopped, pace.length)
        if interrupted or stopped:
            run.outcome = Outcome.INTERRUPTED if interrupted else Outcome.STOPPED
            run.message = run.outcome.value
            return


def _steps(recipe: Recipe, numbers: PyTree, state: State, count: int) -> Chunk:
    return run_chunk(recipe, numbers, state, np.asarray(count, jnp.result_type(int)))


def _last_finite(recipe: Recipe, numbers: PyTree, state: State, count: int, behind: tuple[State, int] | None) -> State:
    """The last state with finite losses, where those of the last of `count` steps from a state were not.

    It is reached again, from that state or from where the chunk before began. The very first has none before it.
    """
    if count == 1 and behind is None:
        return state
    start, steps = (state, count - 2) if count > 1 or behind is None else (behind[0], behind[1] - 1)
    return _steps(recipe, numbers, start, steps).state if steps else start


def blame(layout: Layout, newest: dict[str, Any], step: int) -> str:
    """Which loss was no longer finite, at which step."""
    guilty = [name for name in (*layout.losses, "total") if not np.isfinite(newest[name])]
    return f'at step {step} the loss "{guilty[0]}" was {newest[guilty[0]]}; {Outcome.NONFINITE.value}'


def _pour(sink: Sink, layout: Layout, rows: Any, first: int, count: int) -> None:
    columns = layout.columns(rows)
    for k in range(count):
        step = first + k
        sink(step, {name: values[k] for name, every, values in columns if step % every == 0})
