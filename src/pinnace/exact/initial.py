"""Initial values of any order."""

from collections.abc import Sequence
from math import factorial
from typing import Any

from pinnace._errors import ExpressionError
from pinnace.domain import Domain
from pinnace.exact.where import Where
from pinnace.expr import Expr, as_expr


def initial(u: Any, domain: Domain, *values: Any) -> Expr:
    """An expression that has these initial values, and is free for t > t0: `u0 + (t - t0) / (t1 - t0) * u`.

    The first value is that of the solution at t0, the next one that of its first time derivative, and so on:
    `initial(net(x, t), dom, u0, v0)` is `u0 + (t - t0) v0 + (t - t0)^2 / (t1 - t0)^2 net(x, t)`. Values are numbers or
    expressions of the same coordinates (of space; time in them counts). For boundary values too, see `dirichlet`.
    Raises DomainError for a domain without time, ExpressionError without values.

    >>> import pinnace as pn
    >>> dom = pn.domain.interval(0, 1).time(0, 2)
    >>> x, t = dom.variable("interior", 10)
    >>> print(initial(x * t, dom, pn.np.sin(x)).at({t: 0.0}))
    (sin(x) + t / 2.0 * (x * t)).at({t: 0.0})
    """
    where = Where(u, domain, "initial")
    if not values:
        raise ExpressionError("initial takes the value at the start, and perhaps derivatives: initial(u, dom, u0, v0).")
    started = begun(where, [where.value(one) for one in values])
    return started + growth(where, len(values)) * where.u


def growth(where: Where, order: int) -> Expr:
    """What is zero at the start with so many derivatives, the value included, and 1 at the end."""
    span = where.domain.span
    assert span is not None
    passed = where.distance("initial")
    share = passed if span.stop - span.start == 1 else passed / (span.stop - span.start)
    return share if order == 1 else share**order


def begun(where: Where, values: Sequence[Expr]) -> Expr:
    """The Taylor polynomial in time of these derivatives at the start, zeros left out."""
    passed, found = where.distance("initial"), None
    for order, value in enumerate(values):
        if value is as_expr(0.0) or value is as_expr(0):
            continue
        power = passed**order / factorial(order) if order > 1 else passed
        term = value if order == 0 else power * value
        found = term if found is None else found + term
    return as_expr(0.0) if found is None else found


def start_of(where: Where, lift: Expr, order: int) -> list[Expr]:
    """An expression and its first derivatives by time, at the start."""
    time, span = where.time, where.domain.span
    assert span is not None
    found, slope = [], lift
    for _ in range(order):
        moves = time.data in slope.depends
        found.append(slope.at({time: span.start}) if moves else slope)
        slope = slope.d(time) if moves else as_expr(0.0)
    return found
