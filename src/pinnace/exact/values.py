"""Values on several regions, and initial values with them."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from pinnace._errors import DomainError, ExpressionError
from pinnace.domain import Domain
from pinnace.exact.initial import begun, growth, start_of
from pinnace.exact.where import Where
from pinnace.expr import Expr, as_expr, np, text


def dirichlet(u: Any, domain: Domain, values: Mapping[str, Any], *, initial: Any = None) -> Expr:
    """An expression with given values on regions, and free elsewhere: what interpolates them, plus `u` times a distance.

    `values` maps regions to numbers or expressions of the same coordinates: `{"left": 0.0, "right": pn.np.sin(y)}`.
    Between the regions the values are weighed by their inverse distances; regions of one value count as one. Where two
    of them meet, their values have to agree, and where they do not, both hold up to that corner.

    `initial` is the value at the initial time, or a list of it and its time derivatives. It has to agree with the values
    on the boundary where both hold (a derivative with the derivative of these); then all hold exactly. Raises DomainError
    for unknown regions, ExpressionError for values of another shape or at other points.

    Source: Rvachev, Sheiko, Shapiro, Tsukanov, Computational Mechanics 27 (2001) 305.

    >>> import pinnace as pn
    >>> dom = pn.domain.rectangle((0, 1), (0, 1))
    >>> x, y = dom.variable("interior", 10)
    >>> print(dirichlet(pn.np.exp(x), dom, {"left": 1.0}))
    1.0 + x * exp(x)
    >>> held = dirichlet(pn.np.exp(x), dom, {"left": y, "right": 0.0, "top": 1 - x})
    """
    where = Where(u, domain, "dirichlet")
    if not isinstance(values, Mapping) or not values:
        raise ExpressionError(
            f'dirichlet takes a dict from regions to values, for example {{"boundary": 0.0}}; got {values!r}.'
        )
    if "initial" in values and len(values) > 1:
        raise DomainError(
            "initial values together with those on a boundary are given apart: "
            f"dirichlet(u, dom, {{...}}, initial={text(as_expr(values['initial']))})."
        )
    lift, vanishing = lifted(where, values), where.distance(list(values))
    if initial is None:
        return _plus(lift, vanishing * where.u)
    started = list(initial) if isinstance(initial, Sequence) else [initial]
    wanted = [where.value(one) for one in started]
    beside = [_less(one, own) for one, own in zip(wanted, start_of(where, lift, len(wanted)), strict=True)]
    return _plus(_plus(lift, begun(where, beside)), vanishing * growth(where, len(wanted)) * where.u)


def lifted(where: Where, values: Mapping[str, Any]) -> Expr:
    """An expression that has the values on their regions: their mean, weighed by inverse distances."""
    regions: dict[Expr, list[str]] = {}
    for region, value in values.items():
        regions.setdefault(where.value(value), []).append(region)
    weights = shares([where.distance(names) for names in regions.values()])
    parts = [value if weight is None else weight * value for value, weight in zip(regions, weights, strict=True)]
    return reduce(_plus, [part for value, part in zip(regions, parts, strict=True) if not _zero(value)] or [as_expr(0.0)])


def shares(distances: Sequence[Expr], power: int = 1) -> list[Expr | None]:
    """For each region what is exactly 1 there and 0 on the others, with sum 1: 1 / d^power over the sum of these.

    None where there is no other. Where all of them would be 0 / 0, at a corner, they are equal.
    """
    if len(distances) == 1:
        return [None]
    raised = [one if power == 1 else one**power for one in distances]
    others = [reduce(mul, [one for k, one in enumerate(raised) if k != own]) for own in range(len(raised))]
    total = reduce(add, others)
    apart = total > 0
    return [np.where(apart, one / np.where(apart, total, 1.0), 1 / len(raised)) for one in others]


def _zero(value: Expr) -> bool:
    return value.kind == "constant" and value.shape == () and value.data[0] == 0


def _plus(left: Expr, right: Expr) -> Expr:
    return right if _zero(left) else left if _zero(right) else left + right


def _less(left: Expr, right: Expr) -> Expr:
    return left if _zero(right) else as_expr(0.0) if left is right else left - right
