"""What a comparison says, as text."""

import math
from collections.abc import Sequence

from pinnace import zoo

HEAD = ("balancer", "median error", "best", "worst", "ms a step")


def table(trials: Sequence[zoo.Trial]) -> str:
    """One line a balancer, from the smallest median error; below it, which runs failed."""
    found = zoo.summaries(trials)
    losses = list(dict.fromkeys(loss for one in found for loss in one.weights))
    rows = [[*HEAD, *(f"w({loss})" for loss in losses)]]
    for one in found:
        weights = [f"{one.weights[loss]:.3g}" if loss in one.weights else "" for loss in losses]
        errors = [_error(number) for number in (one.median, one.errors[0], one.errors[-1])]
        rows.append([one.balancer, *errors, _milliseconds(one.step_seconds), *weights])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([f"{row[0]:<{widths[0]}}", *(f"{cell:>{w}}" for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    failures = [trial for trial in trials if trial.failed]
    told = [f"{trial.balancer}, seed {trial.seed}: {trial.outcome}, {trial.message}" for trial in failures]
    return "\n".join(f"  {line}" for line in [*lines, *([""] if told else []), *told])


def _error(number: float) -> str:
    return f"{number:.2e}" if math.isfinite(number) else "failed"


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g}" if math.isfinite(seconds) else ""
