"""`pinnace solve`: train, report, and keep everything that came out."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pinnace import Outcome, zoo
from pinnace.cli.config import as_toml
from pinnace.cli.figure import figure_of
from pinnace.cli.folder import CHECKPOINT, Folder
from pinnace.cli.keys import Asked
from pinnace.cli.lines import PARTS, Lines
from pinnace.cli.report import heading, report
from pinnace.cli.result import result_of

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""
EXIT = {Outcome.NONFINITE: 1, Outcome.INTERRUPTED: INTERRUPTED}
"""The exit codes of outcomes that are not as one would wish."""
DRAWING_FAILS = (ImportError, OSError, ValueError, TypeError, RuntimeError, MemoryError)
"""What a figure can fail with that has nothing to do with the result."""


def solve(
    asked: Asked, folder: Folder, *, resume: bool = False, figure: bool = True, log_every: int | None = None
) -> int:
    """Solve a problem, print how it went, fill the run folder, and give the exit code.

    The checkpoint there is written twice a minute and at the end; `resume` goes on from it.

    `log_every`: steps from one line of losses to the next, 0 for none; by default some twenty lines in all, and none
    where a terminal shows a bar.
    """
    began = time.perf_counter()
    problem, seed = asked.problem, asked.seed
    print(heading(problem, asdict(problem), seed), flush=True)
    case = problem.build(seed)
    if resume:
        case.crux.load(folder.path / CHECKPOINT)
        print(f"  goes on from step {case.crux.steps}", flush=True)
    folder.make()
    folder.keep(as_toml(asked.kept()))
    outcome, message = _train(case, folder, _every(problem, log_every))
    result = result_of(case, seed, outcome.name.lower(), message, time.perf_counter() - began)
    folder.write(case, result)
    print(report(result), flush=True)
    if figure:
        draw(folder, lambda: folder.draw(figure_of(case)))
    print(f"\n  {folder}")
    return EXIT.get(outcome, 0)


def draw(folder: Folder, drawing: Callable[[], None]) -> None:
    """A figure, or a line that tells why there is none: everything else is kept by then."""
    try:
        drawing()
    except DRAWING_FAILS as wrong:
        print(f"pinnace: no figure: {wrong}. Everything else is in {folder.path}.", file=sys.stderr)


def _every(problem: zoo.Problem, log_every: int | None) -> int:
    if log_every is not None:
        return log_every
    return 0 if sys.stdout.isatty() and sys.stderr.isatty() else max(1, problem.steps // PARTS)


def _train(case: zoo.Case, folder: Folder, every: int) -> tuple[Outcome, str]:
    options: dict[str, Any] = {"checkpoint": folder.path / CHECKPOINT}
    options |= {"sinks": Lines(case, every), "progress": False} if every else {}
    try:
        run = case.solve(**options)
    except KeyboardInterrupt:  # pressed twice: the last whole chunk is kept
        return Outcome.INTERRUPTED, Outcome.INTERRUPTED.value
    return run.outcome, run.message
