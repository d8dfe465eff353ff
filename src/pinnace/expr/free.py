"""Expressions that live on no points of their own, and take those of what they meet.

The coordinates of a *free* point set stand for those of any points with the same names of axes. Where a node is built
from something free and something at points, the free part is rewritten in the coordinates of these points.
"""

from collections.abc import Sequence
from typing import Any

from pinnace._errors import ExpressionError, listed
from pinnace.expr.text import postorder, text


def settled(args: tuple, place: Any = None) -> tuple:
    """The same expressions, those that are free bound to the points of the others, or to the point set `place`.

    Raises ExpressionError where two of them are free in different domains, and where an axis is missing.
    """
    for arg in args:
        if arg.points is not None and arg.points.free:
            return _settled(args, place)
    return args


def bound(expr: Any, place: Any) -> Any:
    """A free expression in the coordinates of a point set, by the names of its axes; another one as it is."""
    if place is None or place.free or expr.points is None or not expr.points.free:
        return expr
    used = sorted(axis for points, axis in expr.depends if points.free)
    missing = [expr.points.axes[axis] for axis in used if expr.points.axes[axis] not in place.axes]
    if missing:
        raise ExpressionError(
            f"`{text(expr)}` is an expression of {listed(missing)} {expr.points!r}, and {place!r} have the coordinates "
            f"{listed(place.axes)}. Use the names of the domain for the points, names=(...) in a shape and "
            f"pn.domain.data({missing[0]}=...), or say which coordinate is which, `.at({{...}})`."
        )
    return _rewritten(expr, place)


def _settled(args: tuple, place: Any) -> tuple:
    kept = next((arg.points for arg in args if arg.points is not None and not arg.points.free), place)
    if kept is not None:
        return tuple(bound(arg, kept) for arg in args)
    _one_domain(args)
    return args


def _one_domain(args: Sequence[Any]) -> None:
    free = [arg for arg in args if arg.points is not None]
    for other in free[1:]:
        if other.points is not free[0].points:
            raise ExpressionError(
                f"`{text(free[0])}` can be {free[0].points!r}, `{text(other)}` {other.points!r}: two domains, whose "
                f"coordinates need not be the same. Say at which points you mean them by giving the coordinates to one "
                f'of them, for example dom.distance("boundary", x, y).'
            )


def _rewritten(root: Any, place: Any) -> Any:
    numbers = {name: axis for axis, name in enumerate(place.axes)}
    done: dict[Any, Any] = {}
    for node in postorder([root], lambda node: node.args if node.points is not None else ()):
        if node.kind == "coordinate" and node.points.free:
            points, axis = node.data
            done[node] = type(node)("coordinate", (), (place, numbers[points.axes[axis]]))
        elif node.points is None or not node.args:
            done[node] = node
        else:
            args = tuple(done[arg] for arg in node.args)
            done[node] = type(node)(node.kind, args, node.data)
    return done[root]


def unbound(expr: Any) -> ExpressionError:
    """The error of a free expression where values are wanted: how to say at which points."""
    return ExpressionError(
        f"`{text(expr)}` holds {expr.points!r} and lives on no points yet. Use it together with what does, as in "
        f'`dom.distance("left") * net(x, y)`, or give it coordinates, `dom.distance("left", x, y)`; to look at it, '
        f"crux.eval(..., {{x: xs, y: ys}})."
    )
