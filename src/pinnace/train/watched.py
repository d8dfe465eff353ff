"""Which of the values in the history can say how good a state is."""

from typing import Any

from pinnace._errors import PinnaceError, did_you_mean, listed
from pinnace.expr import nodes
from pinnace.lower import WEIGHTS, Compiled


def check_watched(compiled: Compiled, name: Any, what: str) -> str:
    """The name of a raw loss or of a tracker with one number.

    Raises PinnaceError for others, and for what contains weights: it falls when they do, whatever the network does.
    """
    program = compiled.program
    exprs = {name: [loss] for name, loss in zip(program.loss_names, program.losses, strict=True)}
    exprs |= {tracker.name: [tracker.expr] for tracker in program.trackers}
    exprs["total"] = list(program.entries)
    if name not in exprs:
        raise PinnaceError(
            f"{what} looks at a raw loss or a tracker, and nothing is logged as {name!r}."
            f"{did_you_mean(name, exprs)} There are {listed(exprs)}."
        )
    chosen = exprs[name]
    if any(node.kind in WEIGHTS for node in nodes(chosen)):
        raise PinnaceError(
            f'{what} looks at a value that means the same at every step, and "{name}" contains weights that move: it '
            f"may fall while the solution becomes worse. Take a raw loss, {listed(program.loss_names)}, or the tracker "
            f"of an error."
        )
    if any(expr.shape or expr.points for expr in chosen):
        raise PinnaceError(f'{what} looks at one number, and "{name}" logs several. Track for example its `.max`.')
    return str(name)
