"""The mistakes that are told before anything is compiled, in the user's own notation."""

import warnings
from collections.abc import Sequence
from typing import Any

import jax

from pinnace._errors import LoweringError, PinnaceWarning
from pinnace.expr import MEASURED, Expr, Mover, Names, Tracker, nodes, text, unbound
from pinnace.optim import Trainable


def check_entries(entries: Any, names: Names) -> tuple[list[Expr], list[Tracker], list[Mover]]:
    """The losses, the trackers and what moves points among the entries.

    Raises LoweringError for what can be none of them.
    """
    if isinstance(entries, (Expr, Tracker, Mover)) or not isinstance(entries, (list, tuple)):
        raise LoweringError(f"core takes a list of losses and trackers, core([pde, bc]); got {_shown(entries, names)}.")
    trackers = [entry for entry in entries if isinstance(entry, Tracker)]
    movers = [entry for entry in entries if isinstance(entry, Mover)]
    losses = [entry for entry in entries if not isinstance(entry, (Tracker, Mover))]
    for entry in losses:
        check_entry(entry, names)
    if not losses:
        raise LoweringError("core needs at least one loss; trackers and what moves points add nothing to it.")
    return losses, trackers, movers


def check_entry(entry: Any, names: Names) -> None:
    """Raise LoweringError where an entry is no scalar loss."""
    if not isinstance(entry, Expr):
        raise LoweringError(
            f"an entry of core is a scalar expression, a tracker, or what moves points; got {_shown(entry, names)}."
        )
    if entry.kind != "weight" and entry.points is None and not entry.shape:
        return
    shown = text(entry, names)
    if entry.kind == "weight":
        raise LoweringError(
            f"`{shown}` is a weight alone, and minimising it means nothing. Multiply a loss by it, "
            f"`{shown} * {text(entry.data[0].losses[entry.data[1]], names)}`, or log it, `{shown}.tracker()`."
        )
    if entry.points is not None and entry.points.free:
        raise unbound(entry)
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


def check_movers(movers: Sequence[Mover], losses: Sequence[Expr], cells: Sequence[Any], names: Names) -> None:
    """Raise LoweringError where points move that must stay, that two things move, or that no loss looks at."""
    used = {node.points for node in nodes(losses)}
    staying = {cell.stays: cell for cell in cells if cell.stays is not None}
    by_points: dict[Any, Mover] = {}
    for mover in movers:
        points = mover.expr.points
        if points in by_points:
            raise LoweringError(f"{by_points[points]!r} and {mover!r} both move {points!r}. Leave one of them out.")
        if points in staying:
            raise LoweringError(
                f"{staying[points].name} keeps a weight for each of {points!r} from step to step, but {mover.name} "
                f"moves them: a weight would go to another point than the one it was made for. Leave one of them out."
            )
        if points not in used:
            raise LoweringError(f"{mover!r} moves {points!r}, which no loss looks at. Leave it out, or add the loss.")
        by_points[points] = mover


def check_measured(exprs: Sequence[Expr], names: Names) -> None:
    """Raise LoweringError where what is minimised, weighed or moves points looks at gradients or parameters."""
    for node in nodes(exprs):
        if node.kind in MEASURED:
            raise LoweringError(
                f"`{text(node, names)}` looks at what is trained from outside, and cannot be part of a loss, nor of "
                f"what weighs losses or moves points. Log it, `{text(node, names)}.tracker()`, or look, crux.eval(...)."
            )


def check_bound(found: Sequence[Expr]) -> None:
    """Raise ExpressionError where an expression is left that lives on no points yet."""
    for node in reversed(found):
        if node.points is not None and node.points.free:
            raise unbound(node)


def check_targets(found: Sequence[Expr], trainables: Sequence[Trainable], names: Names) -> None:
    """Raise LoweringError where a measurement looks at a network or parameter that is in no entry."""
    for node in found:
        if node.kind in MEASURED and node.data[0] is not None and node.data[0] not in trainables:
            raise LoweringError(
                f"`{text(node, names)}` looks at {node.data[0]!r}, which no entry of core uses. Leave it out, or add "
                f"the loss."
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
