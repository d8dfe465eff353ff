"""`pinnace solve`: train, report, and keep everything that came out."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pinnace import Outcome, zoo
from pinnace.cli.figure import figure_of
from pinnace.cli.folder import Folder
from pinnace.cli.report import heading, report
from pinnace.cli.result import result_of
from pinnace.train import Run

EXIT = {Outcome.DONE: 0, Outcome.STOPPED: 0, Outcome.NONFINITE: 1, Outcome.INTERRUPTED: 130}
DRAWING_FAILS = (ImportError, OSError, ValueError, TypeError, RuntimeError, MemoryError)
"""What a figure can fail with that has nothing to do with the result."""


def solve(problem: zoo.Problem, seed: int, out: Path | None, *, figure: bool = True) -> int:
    """Solve a problem, print how it went, fill the run folder, and give the exit code."""
    began = time.perf_counter()
    folder = Folder.free(out, problem.name)
    print(heading(problem, asdict(problem), seed), flush=True)
    case = problem.build(seed)
    folder.make()
    outcome, message = _train(case)
    result = result_of(case, seed, outcome.name.lower(), message, time.perf_counter() - began)
    folder.write(case, result)
    print(report(result), flush=True)
    if figure:
        _draw(case, folder)
    print(f"\n  {folder}")
    return EXIT[outcome]


def _train(case: zoo.Case) -> tuple[Outcome, str]:
    try:
        run = case.solve(callbacks=() if sys.stderr.isatty() else Lines(case.problem.steps))
    except KeyboardInterrupt:  # pressed twice: the last whole chunk is kept
        return Outcome.INTERRUPTED, Outcome.INTERRUPTED.value
    return run.outcome, run.message


def _draw(case: zoo.Case, folder: Folder) -> None:
    try:
        folder.draw(figure_of(case))
    except DRAWING_FAILS as wrong:
        print(f"pinnace: no figure: {wrong}. Everything else is in {folder.path}.", file=sys.stderr)


class Lines:
    """Progress where there is no terminal for a bar: a line now and then."""

    def __init__(self, steps: int, seconds: float = 10.0) -> None:
        self.steps, self.seconds, self.told = steps, seconds, time.monotonic()

    def __call__(self, run: Run) -> Any:
        """Called between chunks; asks for nothing."""
        now = time.monotonic()
        if now - self.told >= self.seconds:
            self.told = now
            total = run.history["total"][-1]
            print(f"  step {run.first + run.steps} of {self.steps}, total {total:.3g}", file=sys.stderr, flush=True)
