"""Progress where there is no terminal for a bar: lines of losses and weights."""

from collections.abc import Mapping
from typing import Any

from pinnace import zoo

PARTS = 20
"""How many times a run is told of where nobody says how often."""


class Lines:
    """A line of losses and a line of weights every so many steps, and at the last; a sink of `crux.solve`."""

    def __init__(self, case: zoo.Case, every: int) -> None:
        self._names, self._steps, self._every = case.posed.names, case.problem.steps, every

    def __call__(self, step: int, row: Mapping[str, Any]) -> None:
        """Called once for each step with what it logged."""
        if step % self._every and step + 1 != self._steps:
            return
        losses = {name: row[name] for name in self._names if name in row}
        weights = {name: row[f"w({name})"] for name in losses if f"w({name})" in row}
        digits = len(str(self._steps))
        head = f"  step {step:>{digits}} of {self._steps}"
        print(f"{head}  {_numbers({'total': row['total']})}  {_numbers(losses)}", flush=True)
        if weights:
            print(f"{'weights':>{len(head)}}  {'':{len('total 0.000e+00')}}  {_numbers(weights)}", flush=True)


def _numbers(values: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {float(value):9.3e}" for name, value in values.items())
