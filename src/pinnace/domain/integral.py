"""Integrals as expressions: along lines, over boxes, over domains, over the points of an expression."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from pinnace._errors import DomainError
from pinnace.domain.boxes import Box
from pinnace.domain.checks import count
from pinnace.domain.domain import Domain
from pinnace.domain.instants import Point
from pinnace.domain.plan import Plan
from pinnace.expr import Expr, along, as_expr, check_closed, line, scattered, text

MOST = 32_768
"""Nodes of a rule of many dimensions, where nothing else is said."""
USUAL = 32


def integral(e: Any, s: Expr | None = None, a: Any = None, b: Any = None, *, over: Any = None, n: Any = None) -> Expr:
    """An integral as an expression: used, differentiated and trained through like any other.

    - `integral(e, s, a, b)`: along the coordinate `s` from `a` to `b`. `s` is a symbol, `pn.symbol("s")`, or a
      coordinate of the points of `e`; the limits are numbers or expressions, as in Volterra equations.
    - `over={x: (0, 1), y: (0, x)}`: along several coordinates.
    - `over=dom`: over a domain whose axes are coordinates of `e` by name; other coordinates of `e`, such as time, stay.
    - `integral(e)`: over the region that the points of `e` sample: its measure times the mean there.

    Along lines and over boxes by the rule of Gauss and Legendre with `n` nodes an axis: 32, or as many as make 32,768
    in all, which is exact to rounding for smooth integrands; split an integral at a kink. Over other domains by the
    mean over `n` points (4,096) of low discrepancy, the same at each step, good to three digits or so. Derivatives are
    those of the integral (Leibniz's rule). What does not depend on `s` is computed once; a network of `s` alone, between
    numbers, at the n nodes only. Raises DomainError for what is no coordinate, for limits that are no numbers at a
    point, and for points whose region has no measure.

    Source of the use in networks: Yuan, Ni, Deng, Hao, arXiv 2203.11363; Lu, Meng, Mao, Karniadakis, arXiv 1907.04502.

    >>> import pinnace as pn
    >>> x, t = pn.domain.interval(0, 2).time(0, 1).variable("interior", 10)
    >>> s = pn.symbol("s")
    >>> print(integral(pn.np.cos(x - s) * s**2, s, 0, x))
    integral(cos(x - s) * s**2, s, 0, x)
    >>> print(integral(x * t, over={x: (0, 2)}).d(t))
    d(integral(x * t, x, 0, 2), t)
    """
    expr = as_expr(e)
    if n is not None:
        n = count(n, "n, the number of nodes of an integral,")
    if s is not None or a is not None or b is not None:
        if over is not None or s is None or a is None or b is None:
            raise DomainError(
                f"`{text(expr)}` is integrated along a coordinate between two limits, pn.integral(e, s, 0, x), or over "
                f"a region, over=...; got s={_shown(s)}, a={_shown(a)}, b={_shown(b)}, over={over!r}."
            )
        over = {s: (a, b)}
    if over is None:
        return _over_points(expr, n)
    if isinstance(over, Domain):
        return _over_domain(expr, over, n)
    if not isinstance(over, Mapping) or not over:
        raise DomainError(f"over= takes a domain, or limits, {{x: (0, 1), y: (0, 2)}}; got {over!r}.")
    limits = {_coordinate(expr, key): _limits(key, pair) for key, pair in over.items()}
    return line(expr, limits, _nodes(n, len(limits)))


def _shown(thing: Any) -> str:
    return f"`{text(thing)}`" if isinstance(thing, Expr) else repr(thing)


def _nodes(n: int | None, dim: int) -> int:
    """How many nodes along each axis."""
    return min(USUAL, int(MOST ** (1 / dim) + 1e-9)) if n is None else n


def _coordinate(expr: Expr, key: Any) -> Expr:
    if not (isinstance(key, Expr) and key.kind == "coordinate"):
        raise DomainError(
            f'an integral runs along a coordinate: a symbol, s = pn.symbol("s"), or one that dom.variable(...) gave; '
            f"got {_shown(key)}."
        )
    if expr.depends and key.data not in expr.depends:
        known = sorted({points.axes[axis] for points, axis in expr.depends})
        same = f", another {text(key)} than this one" if text(key) in known else ""
        raise DomainError(
            f"`{text(expr)}` does not depend on {text(key)}, which it is to be integrated along: it depends on "
            f"{', '.join(known)}{same}. Call fields on it, for example net({text(key)})."
        )
    return key


def _limits(key: Expr, pair: Any) -> tuple[Expr, Expr]:
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise DomainError(f"{text(key)} goes between two limits, {text(key)}: (0, 1); got {_shown(pair)}.")
    ends = [as_expr(end) for end in pair]
    for end in ends:
        if end.shape:
            raise DomainError(
                f"a limit is one number at each point; `{text(end)}`, for {text(key)}, has shape {end.shape}."
            )
        if end.kind == "constant" and not math.isfinite(end.data[0]):
            raise DomainError(
                f"the limits of {text(key)} are finite; got {text(end)}. Cut where the integrand no longer counts, or "
                f"substitute: s = r / (1 - r) takes 0 to infinity to 0 to 1."
            )
    return ends[0], ends[1]


def _over_domain(expr: Expr, domain: Domain, n: int | None) -> Expr:
    """In a box along each axis; elsewhere along time, then over points in space."""
    here = {name: _named(expr, name, domain) for name in domain.axes}
    if expr.depends and all(one is None for one in here.values()):
        known = ", ".join(sorted({points.axes[axis] for points, axis in expr.depends}))
        raise DomainError(
            f"`{text(expr)}` is to be integrated over {domain!r}, whose axes are {', '.join(domain.axes)}, and depends on "
            f"{known}. Give the domain those names, names=(...), or write over={{...}} with coordinates."
        )
    lines = [] if domain.span is None else [(domain.span.name, (domain.span.start, domain.span.stop))]
    inside = isinstance(domain.shape, (Box, Point))
    lines += zip(domain.shape.axes, domain.shape.bounds, strict=True) if inside else []
    for name, (low, high) in lines:
        coordinate = here[name]
        nodes = _nodes(None if n is None or not inside else n, len(domain.axes))
        low, high = as_expr(low), as_expr(high)
        expr = (high - low) * expr if coordinate is None else along(expr, coordinate, low, high, nodes)
    return expr if inside else _over_space(expr, replace(domain, span=None), here, n)


def _over_space(expr: Expr, space: Domain, here: Mapping[str, Expr | None], n: int | None) -> Expr:
    measure = space.measure("interior")
    plan = next(iter(space.variable("interior", 4096 if n is None else n))).points.plan
    table = np.asarray(plan.init(jax.random.key(0))[0])
    known = [(here[name], table[:, axis]) for axis, name in enumerate(space.axes)]
    columns = {coordinate: column for coordinate, column in known if coordinate is not None}
    return scattered(expr, columns, measure, repr(space)) if columns else measure * expr


def _named(expr: Expr, name: str, domain: Domain) -> Expr | None:
    """The coordinate of an expression that an axis of a domain means; None where it does not depend on it."""
    found = [one for one in expr.depends if one[0].axes[one[1]] == name]
    if len(found) > 1:
        raise DomainError(
            f"`{text(expr)}` depends on two coordinates called {name}, and {domain!r} does not say which it means. "
            f"Write over={{...}} with the coordinates."
        )
    return Expr("coordinate", (), found[0]) if found else None


def _over_points(expr: Expr, n: int | None) -> Expr:
    check_closed([expr])
    shown, plan = text(expr), None if expr.points is None else expr.points.plan
    where = "has one value in all" if expr.points is None else f"lives on {expr.points!r}, whose region has no measure"
    if not isinstance(plan, Plan):
        raise DomainError(
            f"`{shown}` {where}. Say what to integrate over: pn.integral(e, x, 0, 1), over={{x: (0, 1)}}, or "
            f"over=dom."
        )
    if expr.shape:
        raise DomainError(f"`{shown}` has shape {expr.shape} at each point: integrate its components, `e[0]`.")
    if n is not None:
        raise DomainError(
            f"pn.integral(`{shown}`) is the mean over its {expr.points.size} points times the measure of their region: "
            f"n= has no meaning here. Leave it out, or say over what, over=dom."
        )
    return Expr("reduce", (expr,), ("integral", float(plan.measure)))
