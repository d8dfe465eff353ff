"""Fluxes on regions: conditions of Neumann and Robin."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

from pinnace._errors import DomainError, ExpressionError
from pinnace.domain import Domain
from pinnace.exact.values import shares
from pinnace.exact.where import Where
from pinnace.expr import Expr, as_expr


def neumann(u: Any, domain: Domain, fluxes: Mapping[str, Any], *, keep: str | Sequence[str] = ()) -> Expr:
    """An expression with the values of `u` on regions, and given derivatives along their outward normals.

    `fluxes` maps parts of the boundary to numbers or expressions of the same coordinates. Robin's condition is a flux
    that holds `u`, which there is what comes out: `{"right": h - c * u}`. On the regions `keep` the values of `u` stay
    as they are: those of `dirichlet`, and "initial". A gradient of `u` goes in, so that derivatives of what comes out
    are one order dearer. Not at corners between two regions, where a normal does not exist. Raises DomainError for
    regions that are no part of the boundary of space.

    Source: Sukumar, Srivastava, arXiv 2104.08426, section 4, with the transfinite weights of Rvachev, Sheiko, Shapiro,
    Tsukanov, Computational Mechanics 27 (2001) 305.

    >>> import pinnace as pn
    >>> dom = pn.domain.interval(0, 1)
    >>> x = dom.variable("interior", 10)
    >>> u = pn.exact.dirichlet(pn.np.exp(x), dom, {"left": 0.0})
    >>> held = neumann(u, dom, {"right": 1 - 2 * u}, keep="left")     # u(0) = 0, u'(1) = 1 - 2 u(1)
    """
    where = Where(u, domain, "neumann")
    if not isinstance(fluxes, Mapping) or not fluxes:
        raise ExpressionError(
            f'neumann takes a dict from regions to fluxes, for example {{"right": 0.0}}; got {fluxes!r}.'
        )
    kept = [keep] if isinstance(keep, str) else list(keep)
    for region in fluxes:
        if region in kept:
            raise DomainError(
                f'a flux goes through a part of the boundary of space whose values are not kept; "{region}" is none. '
                f'To keep both value and slope of a g, write g + dom.distance("{region}")**2 * net(x, y).'
            )
        if region in ("initial", "final"):
            raise DomainError(
                f'a flux goes through a part of the boundary of space whose values are not kept; "{region}" is none.'
            )
    distances = [where.distance(region, normalized=True) for region in fluxes]
    weights = shares([*distances, *([where.distance(kept)] if kept else [])], power=2)
    corrections = []
    for value, near, weight in zip(fluxes.values(), distances, weights, strict=False):
        # the gradient of a distance points inward
        missing = -_along(where, near) - where.value(value)
        corrections.append(near * missing if weight is None else near * weight * missing)
    return where.u + reduce(add, corrections)


def _along(where: Where, distance: Expr) -> Expr:
    """The derivative of u along the gradient of a distance."""
    parts = [distance.d(x) * where.u.d(x) for x in where.space if x.data in distance.depends]
    return reduce(add, parts) if parts else as_expr(0.0)
