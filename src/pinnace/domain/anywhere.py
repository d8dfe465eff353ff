"""Coordinates that live on no points of their own: what a domain says of itself, wherever it is looked at."""

import weakref
from typing import Any, ClassVar

from pinnace.expr import Expr, PointSet


class Anywhere(PointSet):
    """Any point of a domain: the one free point set of it. Made by `anywhere`."""

    free: ClassVar[bool] = True

    def __init__(self, domain: Any) -> None:
        super().__init__(domain.axes, f"{domain!r}", 0, None)
        self.domain = domain

    def __reduce__(self) -> tuple[Any, ...]:
        return anywhere, (self.domain,)

    def __repr__(self) -> str:
        return f"anywhere in {self.label}"


_KNOWN: weakref.WeakValueDictionary[Any, Anywhere] = weakref.WeakValueDictionary()


def anywhere(domain: Any) -> Anywhere:
    """The free point set of a domain, the same for equal domains."""
    found = _KNOWN.get(domain)
    return _KNOWN.setdefault(domain, Anywhere(domain)) if found is None else found


def coordinates(domain: Any) -> tuple[Expr, ...]:
    """The coordinates of any point of a domain, one an axis."""
    points = anywhere(domain)
    return tuple(Expr("coordinate", (), (points, axis)) for axis in range(len(domain.axes)))
