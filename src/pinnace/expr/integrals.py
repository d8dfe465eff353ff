"""Variables of integration, and integrals along them."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from pinnace._errors import ExpressionError
from pinnace.expr.identity import Dummy, PointSet
from pinnace.expr.node import Expr, as_expr
from pinnace.expr.text import USUAL, text

Limits = Mapping[Expr, tuple[Expr, Expr]]
"""From where to where each coordinate goes."""


def symbol(name: str) -> Expr:
    """A variable of integration: a coordinate without points, for `pn.integral` and `.at`.

    Use it like any coordinate; expressions of it live on the points of what else is in them, or on none. Two symbols
    of one name are two. Raises ExpressionError for an empty name.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> s = pn.symbol("s")
    >>> print(pn.integral(pn.np.exp(x * s), s, 0, x))
    integral(exp(x * s), s, 0, x)
    """
    if not (isinstance(name, str) and name.strip()):
        raise ExpressionError(f'a symbol has a name, pn.symbol("s"); got {name!r}.')
    return Expr("coordinate", (), (Dummy(name), 0))


def symbols_in(expr: Expr) -> tuple[Expr, ...]:
    """The symbols that an expression depends on, and that nothing has been put in the place of."""
    found = sorted((points for points, _ in expr.depends if points.symbolic), key=lambda points: points.birth)
    return tuple(Expr("coordinate", (), (points, 0)) for points in found)


def check_closed(exprs: Iterable[Expr], names: Any = None, known: Container[PointSet] = ()) -> None:
    """Raise ExpressionError where values are wanted of expressions that depend on symbols whose values are not known."""
    for expr in exprs:
        for found in (one for one in symbols_in(expr) if one.points not in known):
            shown, name = text(expr, names), text(found)
            raise ExpressionError(
                f"`{shown}` depends on the symbol {name}, which has no points: integrate over it, "
                f"`pn.integral({shown}, {name}, 0, 1)`, or put something in its place, "
                f"`.at({{{name}: ...}})`."
            )


def line(expr: Expr, limits: Limits, n: int | None = None) -> Expr:
    """The integral between limits: over one coordinate after the other, those first that no other limit depends on."""
    left = dict(limits)
    while left:
        free = [one for one in left if not any(one.data in end.depends for end in _ends(left, one))]
        if not free:
            names = " and ".join(text(one) for one in left)
            raise ExpressionError(
                f"the limits of {names} depend on each other: at least one of them goes between numbers."
            )
        low, high = left.pop(free[0])
        expr = along(expr, free[0], low, high, n)
    return expr


def _ends(limits: Limits, but: Expr) -> list[Expr]:
    return [end for coordinate, pair in limits.items() if coordinate is not but for end in pair]


def along(expr: Expr, coordinate: Expr, low: Expr, high: Expr, n: int | None = None) -> Expr:
    """The integral along one coordinate, by Gauss and Legendre's rule of n nodes; of what it leaves alone, a product."""
    if coordinate.data not in expr.depends:
        return (high - low) * expr
    return Expr("integral", (expr, coordinate, low, high), ("gauss", USUAL["gauss"] if n is None else n))


def scattered(expr: Expr, columns: Mapping[Expr, Any], measure: float, region: str) -> Expr:
    """The integral over a region as its measure times the mean over points there: of each coordinate an array [n]."""
    count = len(next(iter(columns.values())))
    moves = [part for coordinate, column in columns.items() for part in (coordinate, *map(as_expr, (0.0, 1.0)))]
    return Expr("integral", (expr, *moves), ("points", count, region, measure, *columns.values()))
