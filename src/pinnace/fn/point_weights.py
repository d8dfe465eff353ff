"""Residuals in, one weight a point out: `lam = pn.fn.adaptive.rba(r)`, then `(lam * r).mse`."""

from typing import Any

from pinnace import balance
from pinnace._errors import BalanceError
from pinnace.balance import PointWeights
from pinnace.expr import Expr, check_closed, factory_name, text
from pinnace.fn.cell import Cell
from pinnace.fn.form import OfPoints


def weigh_points(residual: Expr, weights: PointWeights, *coordinates: Expr) -> Expr:
    """A weight at each point of a residual, from any rule, your own included: one placeholder.

    The rule is anything with `init(n) -> state` and `update(residuals, state, *coordinates) -> (weights, state)`, see
    `pinnace.balance.PointWeights`. Raises BalanceError for what has no value at each point, and where weights that
    belong to points would meet points that move.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> print(weigh_points((x**2 - 1).named("r"), pn.balance.rba()))
    rba(r)
    """
    name = factory_name(weights)
    for expr in (residual, *coordinates):
        if not isinstance(expr, Expr):
            raise BalanceError(f"{name} takes a residual, which is an expression; got {expr!r}. Write {name}(r).")
        check_closed([expr])
        if expr.points is None or expr.points is not residual.points:
            raise BalanceError(
                f"`{text(expr)}` has one value in all, but {name} gives a weight to each point of a residual. Give the "
                f"residual, not its loss."
                if expr.points is None
                else f"`{text(expr)}` lives on {expr.points!r}, and `{text(residual)}` on {residual.points!r}: give "
                f"{name} the coordinate of the same points."
            )
    points = residual.points
    assert points is not None
    if weights.stored and points.plan.moves:
        raise BalanceError(
            f"{name} keeps a weight for each point from step to step, but {points!r} are drawn again during training, "
            f"by {points.plan.argument}: a weight would go to another point than the one it was made for. Leave "
            f"{points.plan.argument} out, or take causal, which keeps nothing."
        )
    cell = Cell(weights, (residual, *coordinates), OfPoints(points.size), stays=points if weights.stored else None)
    return Expr("point weight", cell.inputs, (cell,))


def rba(r: Expr, gamma: float = 0.999, eta: float = 0.01) -> Expr:
    """Residual-based attention: points whose residual stays large gain weight; write `(lam * r).mse`.

    The arguments, errors and source are those of `pinnace.balance.rba`.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> r = (x**2 - 1).named("r")
    >>> loss = (rba(r) * r).mse
    """
    return weigh_points(r, balance.rba(gamma, eta))


def sa(r: Expr, lr: float = 5e-3, mask: str = "square") -> Expr:
    """Self-adaptive weights: they climb the loss that the network descends; write `(lam * r).mse`.

    The arguments, errors and source are those of `pinnace.balance.sa`.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> r = (x**2 - 1).named("r")
    >>> loss = (sa(r, mask="sigmoid") * r).mse
    """
    return weigh_points(r, balance.sa(lr, mask))


def brdr(r: Expr, eps: float = 1e-30, beta_c: float = 0.999, beta_w: float = 0.999) -> Expr:
    """Balanced residual decay rate: points whose residual decays slowly gain weight; write `r.weighted(lam)`.

    The arguments, errors and source are those of `pinnace.balance.brdr`.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> r = (x**2 - 1).named("r")
    >>> loss = r.weighted(brdr(r))
    """
    return weigh_points(r, balance.brdr(eps, beta_c, beta_w))


def causal(r: Expr, t: Expr, chunks: int = 32, tol: float = 1.0) -> Expr:
    """Causal weights: a time counts once the residuals before it are small; write `r.weighted(w)`.

    `t` is the coordinate along which causes precede effects; its range comes from the domain. The other arguments,
    errors and source are those of `pinnace.balance.causal`. Goes with points that move.

    >>> import pinnace as pn
    >>> x, t = pn.domain.interval(0, 1).time(0, 2).variable("interior", 10)
    >>> r = (x * t).named("r")
    >>> loss = r.weighted(causal(r, t, tol=10.0))
    """
    if not (isinstance(t, Expr) and t.kind == "coordinate"):
        raise BalanceError(f"causal takes the time as a coordinate, causal(r, t); got {_shown(t)}.")
    check_closed([t])
    points, axis = t.data
    start, stop = points.plan.range_of(axis)
    return weigh_points(r, balance.causal(start, stop, chunks, tol), t)


def _shown(thing: Any) -> str:
    return f"`{text(thing)}`" if isinstance(thing, Expr) else repr(thing)
