"""Which raw losses a list of entries is made of, and what each is called."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pinnace._errors import LoweringError
from pinnace.expr import Expr, Names, nodes, text


@dataclass(frozen=True)
class Loss:
    """A raw loss: a scalar expression, its name, and how it was written."""

    name: str
    expr: Expr


def raw_losses(entries: Sequence[Expr]) -> list[Loss]:
    """The losses below the entries, in order of first use: what balancers look at, what has a name, else reductions.

    Names come from `.named`; the others are loss0, loss1, ... Raises LoweringError where two different losses have
    one name, or one that of the total.
    """
    found: dict[tuple[Expr, str | None], None] = {}
    for entry in entries:
        below = list(_losses(entry))
        for loss in below or [entry]:
            found.setdefault(_split(loss))
    named = {inner for inner, name in found if name is not None}
    losses, unnamed, taken = [], 0, {}
    for inner, name in found:
        if name is None:
            if inner in named:
                continue
            name, unnamed = f"loss{unnamed}", unnamed + 1
        if name == "total":
            raise LoweringError(
                f'`{text(inner)}` is called "total", as the sum of the entries is in the history. Give it another '
                f'name, `.named("...")`.'
            )
        if name in taken:
            raise LoweringError(
                f'two losses are called "{name}": `{text(taken[name])}` and `{text(inner)}`. Give one of them '
                f'another name, `.named("...")`.'
            )
        taken[name] = inner
        losses.append(Loss(name, inner))
    return losses


def _losses(entry: Expr) -> Iterator[Expr]:
    """What balancers look at, what has a name, and reductions, in the order in which they are written."""
    stack, seen = [entry], set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.kind == "weight":
            yield from node.data[0].losses
        elif node.kind == "named":
            yield node
            # a name hides what is below it, but not the losses that a balancer looks at
            stack.extend(inner for inner in nodes(node.args) if inner.kind == "weight")
        elif node.kind == "reduce":
            yield node
        else:
            stack.extend(reversed(node.args))


def _split(loss: Expr) -> tuple[Expr, str | None]:
    name = None
    while loss.kind == "named":
        name, loss = name or loss.data[0], loss.args[0]
    return loss, name


def tracker_name(expr: Expr, losses: Sequence[Loss], names: Names) -> str:
    """What a tracker without a name is called: w(pde) for a weight, the name or the text of other expressions."""
    if expr.kind == "named":
        return expr.data[0]
    if expr.kind == "weight":
        cell, index = expr.data
        inner, name = _split(cell.losses[index])
        return f"w({name or next(loss.name for loss in losses if loss.expr is inner)})"
    return text(expr, names)
