"""The kinds of nodes: which shape, point set and coordinates each has, told from its arguments alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnace._errors import ExpressionError
from pinnace.expr.free import unbound
from pinnace.expr.text import MEASUREMENTS, text

Shape = tuple[int, ...]

UNARY = (
    "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh exp exp2 expm1 log log2 log10 log1p "
    "sqrt cbrt square absolute negative reciprocal sign floor ceil rint sinc isfinite isnan logical_not "
    "deg2rad rad2deg"
).split()
BINARY = (
    "add subtract multiply divide power maximum minimum arctan2 hypot logaddexp remainder floor_divide heaviside "
    "less less_equal greater greater_equal equal not_equal logical_and logical_or"
).split()
"""The elementwise functions of jax.numpy that expressions have, `where` and `clip` apart."""


def merged(args: tuple, data: tuple) -> Any:
    """The one point set of the arguments; None where all are numbers.

    Raises ExpressionError where the arguments live on two point sets.
    """
    found = None
    for arg in args:
        if arg.points is None or arg.points is found:
            continue
        if found is not None:
            first = next(a for a in args if a.points is found)
            raise ExpressionError(
                f"`{text(first)}` lives on {found!r}, `{text(arg)}` on {arg.points!r}: an expression has one value "
                f"at each point of one point set. Reduce each on its own and add the losses, for example "
                f"`({text(first)}).mse + ({text(arg)}).mse`, or move one of them with `.at(...)`."
            )
        found = arg.points
    return found


def united(args: tuple, data: tuple) -> frozenset:
    """The coordinates that any argument depends on."""
    return frozenset().union(*(arg.depends for arg in args))


def nowhere(args: tuple, data: tuple) -> None:
    """No point set: one value for the whole problem."""
    return None


def reducing(args: tuple, data: tuple) -> None:
    """No point set, made from values at points.

    Raises ExpressionError where these live on none yet.
    """
    for arg in args:
        if arg.points is not None and arg.points.free:
            raise unbound(arg)


def nothing(args: tuple, data: tuple) -> frozenset:
    """No coordinate."""
    return frozenset()


@dataclass(frozen=True)
class Kind:
    """How nodes of one kind are typed. Each function takes the arguments and the data of the node."""

    shape: Callable[[tuple, tuple], Shape]
    points: Callable[[tuple, tuple], Any] = merged
    depends: Callable[[tuple, tuple], frozenset] = united


def _broadcast(args: tuple, data: tuple) -> Shape:
    try:
        return np.broadcast_shapes(*(arg.shape for arg in args))
    except ValueError:
        shapes = ", ".join(f"`{text(arg)}` has shape {arg.shape}" for arg in args)
        raise ExpressionError(
            f"{shapes} at each point: these do not broadcast. Take components, for example `u[0]`, or unpack a "
            f"field of several outputs, `u, v = net(x, y)`."
        ) from None


def _event(args: tuple, data: tuple) -> Shape:
    name, settings, together = data
    ones = [np.ones(arg.shape) for arg in args]
    function: Callable[..., Any] = np.linalg.norm if name == "norm" else getattr(np, name)
    try:
        if name == "cross" and any(arg.shape[-1:] != (3,) for arg in args):
            raise ValueError("it takes vectors of 3")
        return np.shape(function(ones if together else ones[0], *([] if together else ones[1:]), **dict(settings)))
    except (ValueError, TypeError, IndexError) as wrong:
        shapes = ", ".join(str(arg.shape) for arg in args)
        raise ExpressionError(f"{name} of expressions of shape {shapes} at each point: {wrong}.") from None


def _index(args: tuple, data: tuple) -> Shape:
    try:
        return np.empty(args[0].shape)[data[0]].shape
    except IndexError as wrong:
        raise ExpressionError(
            f"`{text(args[0])}` has shape {args[0].shape} at each point and cannot be indexed by {data[0]!r}: {wrong}."
        ) from None


def _at_points(args: tuple, data: tuple) -> Any:
    inner, old, new = args[0], args[1::2], args[2::2]
    replaced = {coordinate.data for coordinate in old}
    stays = [inner] if inner.depends - replaced else []
    return merged((*stays, *new), data)


def _at_depends(args: tuple, data: tuple) -> frozenset:
    inner, old, new = args[0], args[1::2], args[2::2]
    used = [value.depends for coordinate, value in zip(old, new, strict=True) if coordinate.data in inner.depends]
    return (inner.depends - {coordinate.data for coordinate in old}).union(*used)


def _first(args: tuple, data: tuple) -> Shape:
    return args[0].shape


def _scalar(args: tuple, data: tuple) -> Shape:
    return ()


def _reduced(args: tuple, data: tuple) -> Shape:
    return np.shape(data[1]) if data[0] == "quantile" else ()


MEASURED = tuple(MEASUREMENTS)
"""Kinds that look at what is trained, not at points: for trackers, not for losses."""


KINDS: dict[str, Kind] = {
    "constant": Kind(lambda args, data: np.shape(data[0])),
    "coordinate": Kind(_scalar, lambda args, data: data[0], lambda args, data: frozenset([data])),
    "normal": Kind(_scalar, lambda args, data: data[0], nothing),
    "parameter": Kind(lambda args, data: data[1], nowhere, nothing),
    "field": Kind(lambda args, data: data[1]),
    "weight": Kind(_scalar, nowhere, nothing),
    "point weight": Kind(_scalar, depends=nothing),
    "elementwise": Kind(_broadcast),
    "event": Kind(_event),
    "index": Kind(_index),
    "apply": Kind(lambda args, data: data[1]),
    "derivative": Kind(_first),
    "trace": Kind(_first, depends=lambda args, data: args[0].depends),
    "functional": Kind(_first, depends=lambda args, data: args[0].depends),
    "at": Kind(_first, _at_points, _at_depends),
    "named": Kind(_first),
    "reduce": Kind(_reduced, reducing, nothing),
    **dict.fromkeys(MEASURED, Kind(_scalar, nowhere, nothing)),
    "kernel spectrum": Kind(lambda args, data: (data[1],), nowhere, nothing),
}
