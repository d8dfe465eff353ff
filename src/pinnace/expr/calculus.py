"""Vector calculus, written as sums of partial derivatives."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

from pinnace._errors import ExpressionError
from pinnace.expr.free import bound
from pinnace.expr.identity import Noise
from pinnace.expr.node import Expr, as_expr
from pinnace.expr.text import text


def laplacian(u: Expr, coordinates: Sequence[Expr], estimator: str | None = None, samples: int = 16) -> Expr:
    """The Laplacian: the sum of the second derivatives of `u` by each coordinate. Shape as `u`.

    In many dimensions `estimator="hutchinson"` makes it the mean of second derivatives along random directions, whose
    components are 1 or -1: `samples` of them at each point, drawn anew at each step. The mean of the estimate is the
    Laplacian, its variance 2 / samples times the sum of the squares of the mixed second derivatives. The mean square
    of a residual that holds it is larger by that variance; the product of two residuals, each with an estimate of its
    own, `(r1 * r2).mean`, is not. Two calls draw independently.

    Source of the estimate: Hutchinson, Communications in Statistics 18 (1989) 1059; for residuals: Hu, Shi,
    Karniadakis, Kawaguchi, arXiv 2312.14499. Raises ExpressionError for another estimator and for less than one sample.

    >>> import pinnace as pn
    >>> x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 10)
    >>> print(laplacian(x * y, [x, y]))
    d(x * y, x, x) + d(x * y, y, y)
    >>> print(laplacian(x * y, [x, y], estimator="hutchinson", samples=4))
    laplacian(x * y, [x, y], samples=4)
    """
    second = [_expression(u, "laplacian").dd(x) for x in _listed(coordinates, "laplacian")]
    if estimator is None:
        return reduce(add, second)
    if estimator != "hutchinson":
        raise ExpressionError(
            f'the estimator of laplacian is None, for the sum of all second derivatives, or "hutchinson"; '
            f"got {estimator!r}."
        )
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise ExpressionError(f"samples is the number of random directions at each point, from 1 on; got {samples!r}.")
    return Expr("trace", (u, *coordinates), (Noise(), samples))


def grad(u: Expr, coordinates: Sequence[Expr]) -> Expr:
    """The gradient: the first derivatives along a new last axis, shape `[*shape, d]`.

    >>> import pinnace as pn
    >>> x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 10)
    >>> grad(x * y, [x, y]).shape
    (2,)
    """
    return _stack([_expression(u, "grad").d(x) for x in _listed(coordinates, "grad")])


def hessian(u: Expr, coordinates: Sequence[Expr]) -> Expr:
    """The matrix of second derivatives along two new last axes, shape `[*shape, d, d]`.

    >>> import pinnace as pn
    >>> x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 10)
    >>> hessian(x * y, [x, y]).shape
    (2, 2)
    """
    u, xs = _expression(u, "hessian"), _listed(coordinates, "hessian")
    return _stack([_stack([u.d(x, y) for y in xs]) for x in xs], axis=-2)


def div(v: Any, coordinates: Sequence[Expr]) -> Expr:
    """The divergence of a vector `[d]`, or of a list of d expressions: the sum of `v[i].d(x_i)`.

    >>> import pinnace as pn
    >>> x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 10)
    >>> print(div([x * y, y], [x, y]))
    d(x * y, x) + d(y, y)
    """
    xs = _listed(coordinates, "div")
    parts = _components(v, len(xs), "div")
    slopes = [_slope(part, x) for part, x in zip(parts, xs, strict=True)]
    return reduce(add, [slope for slope in slopes if slope is not as_expr(0.0)] or [as_expr(0.0)])


def curl(v: Any, coordinates: Sequence[Expr]) -> Expr:
    """The curl: in 3 dimensions a vector `[3]`, in 2 the number `v[1].d(x) - v[0].d(y)`.

    >>> import pinnace as pn
    >>> x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 10)
    >>> print(curl([x * y, x], [x, y]))
    d(x, x) - d(x * y, y)
    """
    xs = _listed(coordinates, "curl")
    if len(xs) not in (2, 3):
        raise ExpressionError(f"curl has a meaning in 2 and 3 dimensions; got {len(xs)} coordinates.")
    v = _components(v, len(xs), "curl")
    if len(xs) == 2:
        return _slope(v[1], xs[0]) - _slope(v[0], xs[1])
    turns = ((1, 2), (2, 0), (0, 1))
    return _stack([_slope(v[j], xs[i]) - _slope(v[i], xs[j]) for i, j in turns])


def _slope(component: Expr, x: Expr) -> Expr:
    """The derivative of one component of a vector, which need not depend on every coordinate."""
    known = isinstance(x, Expr) and x.kind == "coordinate"
    component = bound(component, x.points) if known else component
    known = known and component.points in (None, x.points)
    return as_expr(0.0) if known and x.data not in component.depends else component.d(x)


def _stack(parts: Sequence[Expr], axis: int = -1) -> Expr:
    return Expr("event", tuple(parts), ("stack", (("axis", axis),), True))


def _expression(u: Any, name: str) -> Expr:
    if isinstance(u, (list, tuple)):
        raise ExpressionError(f"{name} takes one expression; got a list of {len(u)}. Stack them: pn.np.stack([...]).")
    return as_expr(u)


def _listed(coordinates: Any, name: str) -> list[Expr]:
    if isinstance(coordinates, Expr) or not isinstance(coordinates, (list, tuple)) or not coordinates:
        got = f"`{text(coordinates)}`" if isinstance(coordinates, Expr) else repr(coordinates)
        raise ExpressionError(f"{name} takes a list of coordinates, for example {name}(u, [x, y]); got {got}.")
    return list(coordinates)


def _components(v: Any, count: int, name: str) -> list[Expr]:
    parts = [as_expr(part) for part in v] if isinstance(v, (list, tuple)) or as_expr(v).shape else [as_expr(v)]
    if len(parts) != count:
        raise ExpressionError(f"{name} over {count} coordinates takes {count} components; got {len(parts)}.")
    return parts
