"""Outward normals as expressions."""

from typing import Any

from pinnace._errors import DomainError, listed
from pinnace.domain.plan import Plan
from pinnace.expr import Expr, text


def normal(*coordinates: Expr) -> Any:
    """The outward unit normal at boundary points: one component for each coordinate of space, in their order.

    `coordinates` are all those of space as `dom.variable("boundary")` or one of its sides gave them; time may
    be among them and is left out. A single component, in one dimension, is no tuple. Raises DomainError for
    anything that is no coordinate, coordinates of two point sets, missing or repeated ones, and points that
    are not on the boundary.

    >>> import pinnace as pn
    >>> xb, yb = pn.domain.disk().variable("boundary", 200)
    >>> nx, ny = pn.normal(xb, yb)
    >>> u = xb**2 + yb**2
    >>> flux = nx * u.d(xb) + ny * u.d(yb)
    """
    example = 'For example: xb, yb = dom.variable("boundary"), then pn.normal(xb, yb).'
    if not coordinates:
        raise DomainError(f"pn.normal takes the coordinates of boundary points; got none. {example}")
    for given in coordinates:
        if not (isinstance(given, Expr) and given.kind == "coordinate"):
            got = f"`{text(given)}`" if isinstance(given, Expr) else repr(given)
            raise DomainError(f"pn.normal takes coordinates, as dom.variable(...) gives them; got {got}. {example}")
    points = coordinates[0].data[0]
    for given in coordinates:
        if given.data[0] is not points:
            raise DomainError(
                f"pn.normal takes coordinates of one point set; `{text(coordinates[0])}` is of {points!r}, "
                f"`{text(given)}` of {given.data[0]!r}."
            )
    if not isinstance(points.plan, Plan):
        raise DomainError(f"{points!r} are not on the boundary of a domain and have no normal. {example}")
    shape = points.plan.domain.shape
    if not points.plan.has_normals:
        known = listed(("boundary", *shape.names)) if shape.dim else "a domain with space"
        raise DomainError(f"{points!r} are not on the boundary of space and have no normal. Take those of {known}.")
    axes = [given.data[1] for given in coordinates if given.data[1] < shape.dim]
    if sorted(axes) != list(range(shape.dim)):
        got = ", ".join(text(given) for given in coordinates)
        raise DomainError(
            f"pn.normal takes each coordinate of space once, in {shape!r} {', '.join(shape.axes)}; got {got}."
        )
    parts = tuple(Expr("normal", (), (points, axis)) for axis in axes)
    return parts[0] if len(parts) == 1 else parts
