"""The coordinates at which a condition is put on an expression."""

from typing import Any

from pinnace._errors import DomainError, ExpressionError
from pinnace.domain import Domain, coordinates
from pinnace.expr import Expr, as_expr, bound, text


class Where:
    """The coordinates of a domain, at the points that an expression lives on."""

    def __init__(self, u: Any, domain: Domain, name: str) -> None:
        if not isinstance(domain, Domain):
            raise DomainError(f"{name} takes an expression and the domain that its conditions are about; got {domain!r}.")
        self.u, self.domain, self.name = as_expr(u), domain, name
        if self.u.points is None:
            raise ExpressionError(
                f"{name} takes an expression at points of {domain!r}, such as `net({', '.join(domain.axes)})`; "
                f"`{text(self.u)}` is one number."
            )
        self.all = tuple(bound(one, self.u.points) for one in coordinates(domain))

    @property
    def space(self) -> tuple[Expr, ...]:
        """The coordinates of space."""
        return self.all[: self.domain.shape.dim]

    @property
    def time(self) -> Expr:
        """The coordinate of time. Raises DomainError where there is none."""
        if self.domain.span is None:
            raise DomainError(
                f"{self.domain!r} has no time, and so no initial values. Add time: .time(t0, t1), or use the name of "
                f"a part of its boundary."
            )
        return self.all[self.domain.axes.index(self.domain.span.name)]

    def value(self, value: Any) -> Expr:
        """A value as an expression at the same points, of the shape of u or one number."""
        found = bound(as_expr(value), self.u.points)
        if found.shape not in ((), self.u.shape):
            raise ExpressionError(
                f"`{text(self.u)}` has shape {self.u.shape} at each point, and its value `{text(found)}` in {self.name} "
                f"{found.shape}. Give one number, or one for each component by pn.np.stack([...])."
            )
        return found

    def distance(self, regions: Any, normalized: bool = False) -> Expr:
        """The distance to regions, at these points."""
        return self.domain.distance(regions, *self.all, normalized=normalized)
