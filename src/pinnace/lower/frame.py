"""Where an expression is evaluated: at the points of a set, or at coordinates moved by `.at` and by integrals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pinnace._errors import LoweringError
from pinnace.expr import Expr, PointSet, text
from pinnace.lower.functional import Functional, Part
from pinnace.lower.terms import MultiIndex, value_of


@dataclass(frozen=True, eq=False)
class Frame:
    """The coordinates of one point set, and symbols, each at its own value or at one given in the frame around."""

    points: PointSet | None
    outer: "Frame | None" = None
    moved: dict[tuple[PointSet, int], Expr] = field(default_factory=dict)
    symbols: tuple[PointSet, ...] = ()
    """Symbols beside the point set: their directions come after its own."""
    travelling: dict[Expr, Functional] = field(default_factory=dict)
    """The functionals that are asked for here as one term."""
    base: "Frame | None" = None
    scattered: Expr | None = None
    """A Laplacian that is estimated: its random directions are further axes, after those of the `base`."""

    @property
    def axes(self) -> int:
        """How many directions there are to differentiate along: coordinates, and random ones."""
        return self.samples + len(self.own)

    @property
    def own(self) -> tuple[tuple[PointSet, int], ...]:
        """The coordinates that there are to differentiate by, in the order of their directions."""
        known = [(self.points, axis) for axis in range(len(self.points.axes))] if self.points else []
        return (*known, *((symbol, 0) for symbol in self.symbols))

    @property
    def names(self) -> tuple[str, ...]:
        """What the directions are called."""
        known = (points.axes[axis] for points, axis in self.own)
        return (*known, *(f"v{k + 1}" for k in range(self.samples)))

    def direction(self, coordinate: Expr) -> int | None:
        """The number of the direction along a coordinate; None where it is only a value here."""
        return self.own.index(coordinate.data) if coordinate.data in self.own else None

    def embedded(self, points: PointSet | None, index: MultiIndex) -> MultiIndex:
        """A derivative by the coordinates of a set, in the directions of this frame."""
        counts = dict(zip(((points, axis) for axis in range(len(index.counts))), index.counts, strict=True))
        return MultiIndex((*(counts.get(one, 0) for one in self.own), *(0,) * self.samples))

    def keeps(self, points: PointSet | None) -> bool:
        """Whether the points of a set stand here at their own places."""
        if self.outer is None:
            return self.points is points
        return not any(moved is points for moved, _ in self.moved) and self.outer.keeps(points)

    @property
    def samples(self) -> int:
        """How many of these are random."""
        return 0 if self.scattered is None else self.scattered.data[1]

    def scatter(self, node: Expr) -> "Frame":
        """The frame in which a Laplacian is estimated."""
        return replace(self, travelling={}, base=self, scattered=node)

    @property
    def value(self) -> MultiIndex:
        """The term that is the value itself."""
        return value_of(self.axes)


class Frames:
    """The frames of one program, each made once."""

    def __init__(self) -> None:
        self._plain: dict[PointSet | None, Frame] = {}
        self._moved: dict[tuple[Frame, PointSet | None, tuple[Expr, ...], tuple[Any, ...]], Frame] = {}
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
        """The frame inside a node that moves coordinates: `at`, or an integral.

        What depends on symbols alone stays with the points around it, so that all under the same moves is shared.
        """
        moved = MOVES[node.kind](node)
        points = node.args[0].points
        if points is not None and points.symbolic and frame.points is not None:
            points = frame.points
        key = (frame, points, node.args[1:], node.data)
        if key not in self._moved:
            around = (*frame.symbols, frame.points, *(one for one, _ in moved))
            symbols = dict.fromkeys(one for one in around if one is not None and one.symbolic and one is not points)
            self._moved[key] = Frame(points, frame, moved, tuple(symbols))
        return self._moved[key]

    def scattered(self, frame: Frame, node: Expr) -> Frame:
        """The frame in which a Laplacian is estimated."""
        return self._scattered.setdefault((frame, node), frame.scatter(node))

    def slot(self, frame: Frame, coefficient: Expr) -> int:
        """The number under which a coefficient is known that is evaluated before what is differentiated in a frame."""
        inner = replace(frame, travelling={})
        before = self._beforehand.setdefault(frame, inner)
        return self._slots.setdefault((self.settle(before, coefficient), coefficient), len(self._slots))

    @property
    def slots(self) -> tuple[tuple[Frame, Expr], ...]:
        """All such coefficients, by number, and where each is evaluated."""
        return tuple(self._slots)

    def settle(self, frame: Frame, node: Expr) -> Frame:
        """Where a node is evaluated that is used in a frame: what has one value in all is evaluated once."""
        return frame if node.points is not None or node.kind == "abscissa" else self.plain(None)


def abscissas(node: Expr) -> tuple[Expr, ...]:
    """What the coordinates of an integral are at its nodes."""
    triples = enumerate(zip(node.args[1::3], node.args[2::3], node.args[3::3], strict=True))
    return tuple(Expr("abscissa", (low, high), (*old.data, k, *node.data)) for k, (old, low, high) in triples)


MOVES = {
    "at": lambda node: {old.data: new for old, new in zip(node.args[1::2], node.args[2::2], strict=True)},
    "integral": lambda node: {old.data: new for old, new in zip(node.args[1::3], abscissas(node), strict=True)},
}
"""Which coordinates a node moves for what is inside it, and to where."""


def estimated(frame: Frame, term: Any) -> Functional:
    """What an estimated Laplacian asks for, in its frame, to deliver a term: the sum over its random directions."""
    indices = [frame.value.shift(axis, 2) for axis in range(frame.axes - frame.samples, frame.axes)]
    extended = MultiIndex((*term.counts, *(0,) * (frame.axes - len(term.counts))))
    return Functional(tuple(Part(index.plus(extended), 1.0) for index in indices))


def along(frame: Frame, term: Any, coordinates: Iterable[Expr]) -> Any:
    """The term that makes this one of a derivative by coordinates."""
    for coordinate in coordinates:
        direction = frame.direction(coordinate)
        if direction is None:
            raise LoweringError(
                f"nothing here can be differentiated by {text(coordinate)}, which is a value at each point of "
                f"{frame.points!r}. Differentiate before you multiply, or inside the integral."
            )
        term = term.shift(direction)
    return term
