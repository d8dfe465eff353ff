"""Where an expression is evaluated: at the points of a set, or at coordinates moved by `.at`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pinnace.expr import Expr, PointSet
from pinnace.lower.functional import Functional
from pinnace.lower.terms import MultiIndex, value_of


@dataclass(frozen=True, eq=False)
class Frame:
    """The coordinates of one point set, each at its own value or at one given in the frame around."""

    points: PointSet | None
    outer: "Frame | None" = None
    moved: dict[tuple[PointSet, int], Expr] = field(default_factory=dict)
    travelling: dict[Expr, Functional] = field(default_factory=dict)
    """The functionals that are asked for here as one term."""

    @property
    def axes(self) -> int:
        """How many coordinates there are to differentiate by."""
        return len(self.points.axes) if self.points else 0

    @property
    def value(self) -> MultiIndex:
        """The term that is the value itself."""
        return value_of(self.axes)


class Frames:
    """The frames of one program, each made once."""

    def __init__(self) -> None:
        self._plain: dict[PointSet | None, Frame] = {}
        self._moved: dict[tuple[Frame, tuple[Expr, ...]], Frame] = {}
        self._beforehand: dict[Frame, Frame] = {}
        self._slots: dict[tuple[Frame, Expr], int] = {}

    def __iter__(self) -> Iterator[Frame]:
        return iter((*self._plain.values(), *self._moved.values(), *self._beforehand.values()))

    def plain(self, points: PointSet | None) -> Frame:
        """The frame of a point set as it is; of None, for what has one value in all."""
        return self._plain.setdefault(points, Frame(points))

    def inner(self, frame: Frame, node: Expr) -> Frame:
        """The frame inside an `at` node."""
        key = (frame, node.args[1:])
        if key not in self._moved:
            pairs = zip(node.args[1::2], node.args[2::2], strict=True)
            moved = {coordinate.data: value for coordinate, value in pairs}
            self._moved[key] = Frame(node.args[0].points, frame, moved)
        return self._moved[key]

    def slot(self, frame: Frame, coefficient: Expr) -> int:
        """The number under which a coefficient is known that is evaluated before what is differentiated in a frame."""
        before = self._beforehand.setdefault(frame, Frame(frame.points, frame.outer, frame.moved))
        return self._slots.setdefault((self.settle(before, coefficient), coefficient), len(self._slots))

    @property
    def slots(self) -> tuple[tuple[Frame, Expr], ...]:
        """All such coefficients, by number, and where each is evaluated."""
        return tuple(self._slots)

    def settle(self, frame: Frame, node: Expr) -> Frame:
        """Where a node is evaluated that is used in a frame: what has one value in all is evaluated once."""
        return frame if node.points is not None else self.plain(None)


def along(term: Any, coordinates: Iterable[Expr]) -> Any:
    """The term that makes this one of a derivative by coordinates."""
    for coordinate in coordinates:
        term = term.shift(coordinate.data[1])
    return term
