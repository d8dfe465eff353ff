"""Where an expression is evaluated: at the points of a set, or at coordinates moved by `.at`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pinnace.expr import Expr, PointSet
from pinnace.lower.functional import Functional, Part
from pinnace.lower.terms import MultiIndex, value_of


@dataclass(frozen=True, eq=False)
class Frame:
    """The coordinates of one point set, each at its own value or at one given in the frame around."""

    points: PointSet | None
    outer: "Frame | None" = None
    moved: dict[tuple[PointSet, int], Expr] = field(default_factory=dict)
    travelling: dict[Expr, Functional] = field(default_factory=dict)
    """The functionals that are asked for here as one term."""
    base: "Frame | None" = None
    scattered: Expr | None = None
    """A Laplacian that is estimated: its random directions are further axes, after those of the `base`."""

    @property
    def axes(self) -> int:
        """How many directions there are to differentiate along: coordinates, and random ones."""
        return self.samples + (self.base.axes if self.base else len(self.points.axes) if self.points else 0)

    @property
    def names(self) -> tuple[str, ...]:
        """What the directions are called."""
        known = self.base.names if self.base else self.points.axes if self.points else ()
        return (*known, *(f"v{k + 1}" for k in range(self.samples)))

    @property
    def samples(self) -> int:
        """How many of these are random."""
        return 0 if self.scattered is None else self.scattered.data[1]

    def scatter(self, node: Expr) -> "Frame":
        """The frame in which a Laplacian is estimated."""
        return Frame(self.points, self.outer, self.moved, base=self, scattered=node)

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
        self._scattered: dict[tuple[Frame, Expr], Frame] = {}
        self._slots: dict[tuple[Frame, Expr], int] = {}

    def __iter__(self) -> Iterator[Frame]:
        made = (self._plain, self._moved, self._beforehand, self._scattered)
        return (frame for frames in made for frame in frames.values())

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

    def scattered(self, frame: Frame, node: Expr) -> Frame:
        """The frame in which a Laplacian is estimated."""
        return self._scattered.setdefault((frame, node), frame.scatter(node))

    def slot(self, frame: Frame, coefficient: Expr) -> int:
        """The number under which a coefficient is known that is evaluated before what is differentiated in a frame."""
        inner = Frame(frame.points, frame.outer, frame.moved, base=frame.base, scattered=frame.scattered)
        before = self._beforehand.setdefault(frame, inner)
        return self._slots.setdefault((self.settle(before, coefficient), coefficient), len(self._slots))

    @property
    def slots(self) -> tuple[tuple[Frame, Expr], ...]:
        """All such coefficients, by number, and where each is evaluated."""
        return tuple(self._slots)

    def settle(self, frame: Frame, node: Expr) -> Frame:
        """Where a node is evaluated that is used in a frame: what has one value in all is evaluated once."""
        return frame if node.points is not None else self.plain(None)


def estimated(frame: Frame, term: Any) -> Functional:
    """What an estimated Laplacian asks for, in its frame, to deliver a term: the sum over its random directions."""
    indices = [frame.value.shift(axis, 2) for axis in range(frame.axes - frame.samples, frame.axes)]
    extended = MultiIndex((*term.counts, *(0,) * (frame.axes - len(term.counts))))
    return Functional(tuple(Part(index.plus(extended), 1.0) for index in indices))


def along(term: Any, coordinates: Iterable[Expr]) -> Any:
    """The term that makes this one of a derivative by coordinates."""
    for coordinate in coordinates:
        term = term.shift(coordinate.data[1])
    return term
