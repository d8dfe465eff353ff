"""The mistakes that are told before anything is compiled, in the user's own notation."""

import warnings
from collections.abc import Sequence
from typing import Any

import jax

from pinnace._errors import LoweringError, PinnaceWarning
from pinnace.expr import Expr, Names, Tracker, nodes, text
from pinnace.optim import Trainable


def check_entries(entries: Any, names: Names) -> tuple[list[Expr], list[Tracker]]:
    """The losses and the trackers among the entries.

    Raises LoweringError for what can be neither.
    """
    if isinstance(entries, (Expr, Tracker)) or not isinstance(entries, (list, tuple)):
        raise LoweringError(f"core takes a list of losses and trackers, core([pde, bc]); got {_shown(entries, names)}.")
    losses, trackers = [], []
    for entry in entries:
        if isinstance(entry, Tracker):
            trackers.append(entry)
            continue
        check_entry(entry, names)
        losses.append(entry)
    if not losses:
        raise LoweringError("core needs at least one loss; a tracker adds nothing to the loss.")
    return losses, trackers


def check_entry(entry: Any, names: Names) -> None:
    """Raise LoweringError where an entry is no scalar loss."""
    if not isinstance(entry, Expr):
        raise LoweringError(f"an entry of core is a scalar expression or a tracker; got {_shown(entry, names)}.")
    if entry.kind != "weight" and entry.points is None and not entry.shape:
        return
    shown = text(entry, names)
    if entry.kind == "weight":
        raise LoweringError(
            f"`{shown}` is a weight alone, and minimising it means nothing. Multiply a loss by it, "
            f"`{shown} * {text(entry.data[0].losses[entry.data[1]], names)}`, or log it, `{shown}.tracker()`."
        )
    if entry.points is not None:
        count = entry.points.size
        raise LoweringError(
            f"`{shown}` has a value at each of {count} points, but an entry of core must be a scalar. "
            f"Reduce it, for example `({shown}).mse`."
        )
    raise LoweringError(
        f"`{shown}` has shape {entry.shape}, but an entry of core must be a scalar. Reduce it, for example "
        f"`({shown}).mse`."
    )


def check_names(trainables: Sequence[Trainable], names: Names) -> None:
    """Raise LoweringError where two fields or parameters were given one name; name those that have none."""
    given: set[str] = set()
    for trainable in sorted(trainables, key=lambda trainable: trainable.name is None):
        if names(trainable) in given:
            raise LoweringError(
                f'two fields or parameters are called "{names(trainable)}", and history could not tell them apart. '
                f'Give one of them another name, `name="..."`.'
            )
        given.add(names(trainable))


def check_trained(trainables: Sequence[Trainable], names: Names) -> None:
    """Raise LoweringError for a field that is neither frozen nor given an optimizer."""
    for trainable in trainables:
        if trainable.binding is None and any(jax.tree.leaves(trainable.mask())):
            raise LoweringError(
                f"`{names(trainable)}` has no optimizer: attach one, `.optimizer(optax.adam(1e-3))`, or keep its "
                f"parameters as they are, `.freeze()`."
            )


def warn_unused(losses: Sequence[Expr], cells: Sequence[Any], names: Names) -> None:
    """Warn of weights that multiply nothing although others of the same balancer do."""
    used = {node.data for node in nodes(losses) if node.kind == "weight"}
    for cell in cells:
        for index in range(len(cell.losses)):
            if (cell, index) not in used:
                warnings.warn(
                    f"the weight `{cell.label(index, names)}` is not used: the balancer counts on it. Multiply "
                    f"`{text(cell.losses[index], names)}` by it in an entry of core.",
                    PinnaceWarning,
                    stacklevel=4,
                )


def _shown(thing: Any, names: Names) -> str:
    if isinstance(thing, Expr):
        return f"`{text(thing, names)}`"
    if isinstance(thing, Trainable):
        return f"{thing!r}, which becomes an expression when it is called on coordinates"
    return repr(thing)
