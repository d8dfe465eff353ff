"""Residuals in, moving points out: entries of `core` that gather the points of a residual where it is large."""

import math
from typing import Any

from pinnace._errors import BalanceError
from pinnace.expr import Expr, Mover, check_closed, text
from pinnace.points import R3, Rad, RarD, Rule

POOL = 10
"""Candidates for each point, by default: the papers take 5 to 50 times as many as points."""


def rad(r: Expr, every: int, k: float = 1.0, c: float = 1.0, *, pool: int = POOL) -> Mover:
    """All points of a residual drawn anew every so many steps, more of them where it is large; an entry of `core`.

    The density is proportional to `|r|^k / mean |r|^k + c`: larger `k` gathers them more, `c` keeps some everywhere.
    They are chosen, none twice, from `pool` times as many candidates, which cost that many evaluations of the residual
    (no gradients) at those steps. A residual of several components counts by its norm. Raises BalanceError for points
    that cannot be drawn anew: a grid, data, single points, or a set that `resample=` or `batch=` moves.

    Source: Wu et al. 2022, arXiv 2207.10289 (RAD).

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> rad((x**2 - 1).named("r"), every=100)
    rad by `r` every 100 steps
    """
    rule = Rad(_number("rad", "k", k), _number("rad", "c", c), _whole("rad", "pool", pool))
    return _mover("rad", r, every, rule)


def rar_d(
    r: Expr,
    every: int,
    k: float = 2.0,
    c: float = 0.0,
    *,
    add: int | None = None,
    keep: float = 0.5,
    pool: int = POOL,
) -> Mover:
    """Some points of a residual drawn anew every so many steps, where it is large; an entry of `core`.

    A round puts `add` points (a tenth of those that may move, by default) from the density of `rad` in the place of
    others, the first ones in turn; the share `keep` of the points stays for good. The paper adds them to the set
    instead; arrays in a compiled step have one size, and so `keep` is what it starts from. Other arguments and errors
    are those of `rad`.

    Source: Wu et al. 2022, arXiv 2207.10289 (RAR-D).

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 100)
    >>> rar_d((x**2 - 1).named("r"), every=100).rule.add
    5
    """
    size = _points("rar_d", r).size
    share = _number("rar_d", "keep", keep)
    if share >= 1:
        raise BalanceError(f"rar_d got keep = {keep!r}: the share of the points that stay is below 1.")
    kept = int(share * size)
    moved = max(1, (size - kept) // 10) if add is None else _whole("rar_d", "add", add)
    rule = RarD(_number("rar_d", "k", k), _number("rar_d", "c", c), _whole("rar_d", "pool", pool), moved, kept)
    return _mover("rar_d", r, every, rule)


def r3(r: Expr, every: int) -> Mover:
    """Retain, resample, release: the points whose residual is above the mean stay, the rest is drawn anew.

    An entry of `core`; at those steps it costs one more evaluation of the residual. Errors are those of `rad`.

    Source: Daw et al. 2022, arXiv 2207.02338 (R3 sampling).

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> r3((x**2 - 1).named("r"), every=1)
    r3 by `r` every 1 step
    """
    return _mover("r3", r, every, R3())


def _mover(name: str, r: Any, every: int, rule: Rule) -> Mover:
    points = _points(name, r)
    plan = points.plan
    if plan.moves:
        raise BalanceError(
            f"{points!r} are drawn again by {plan.argument} already; leave it out where {name} moves them."
        )
    if not plan.redraws:
        raise BalanceError(
            f"{points!r} are the same however often they are drawn (a grid, data, or single points), so {name} cannot "
            f'move them. Take sampler="sobol" or "uniform".'
        )
    try:
        rule.check(points.size)
    except ValueError as wrong:
        raise BalanceError(f"{name}: {wrong}.") from None
    return Mover(r, rule, every, name)


def _points(name: str, r: Any) -> Any:
    if not isinstance(r, Expr):
        raise BalanceError(f"{name} takes a residual, which is an expression; got {r!r}. Write {name}(r, every=100).")
    check_closed([r])
    if r.points is None:
        raise BalanceError(
            f"`{text(r)}` has one value in all, but {name} looks at a residual at each point. Give the residual, not "
            f"its loss."
        )
    return r.points


def _number(name: str, argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
        raise BalanceError(f"{name} got {argument} = {value!r}, expected a finite number from 0 on.")
    return float(value)


def _whole(name: str, argument: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BalanceError(f"{name} got {argument} = {value!r}, expected a whole number from 1 on.")
    return value
