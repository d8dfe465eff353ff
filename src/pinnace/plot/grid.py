"""Where an expression is drawn: a line or a grid of points, once or at several slices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pinnace._errors import DomainError, PinnaceError, did_you_mean, listed
from pinnace.domain import Domain, Shape
from pinnace.expr import Expr, PointSet, text
from pinnace.plot.scales import Values
from pinnace.train import Crux

Column = Float[np.ndarray, " n"]
Where = Domain | Mapping[Expr, Float[Array | np.ndarray, " n"] | float]
Exact = Expr | Callable[..., Any] | Float[Array | np.ndarray, "*grid"]
Slices = Mapping[Any, float | Sequence[float]]

ROUNDING = 1e-6
"""How far outside of the domain a point may be, over the size of its coordinates."""
POINTS = {1: 401, 2: 129}
"""Points along each axis, on a line and on a grid."""


@dataclass(frozen=True)
class Grid:
    """Points to draw an expression at."""

    drawn: dict[Expr, Column]
    """The coordinates to the right and up, and their values."""
    held: tuple[dict[Expr, float], ...]
    """The other coordinates, once for each slice."""
    order: tuple[Expr, ...]
    """The coordinates as arguments of a reference."""
    space: Shape | None
    """The shape that the points may be outside of."""
    given: bool
    """Whether somebody chose the points."""

    @property
    def shape(self) -> tuple[int, ...]:
        """How many points there are along each axis."""
        return tuple(map(len, self.drawn.values()))

    @property
    def equal(self) -> bool:
        """Whether both axes are lengths in the same space."""
        return self.space is not None and len(self.drawn) == 2 and all(map(self._in_space, self.drawn))

    def at(self, held: Mapping[Expr, float]) -> dict[Expr, np.ndarray]:
        """The coordinates on one slice: arrays that broadcast to the grid."""
        ones = (1,) * len(self.drawn)
        grid = dict(zip(self.drawn, np.ix_(*self.drawn.values()), strict=True))
        return grid | {coordinate: np.full(ones, value) for coordinate, value in held.items()}

    def values(self, crux: Crux, u: Expr) -> Float[np.ndarray, "slices *grid"]:
        """The expression on each slice."""
        return np.stack([np.asarray(crux.eval(u, self.at(held)), float) for held in self.held])

    def reference(self, crux: Crux, exact: Exact) -> Float[np.ndarray, "slices *grid"]:
        """What it should be. Raises PinnaceError where the shape does not fit."""
        if isinstance(exact, Expr):
            return self._expression(crux, exact)
        if not callable(exact):
            found = np.asarray(exact, float)
            if not self.given:
                raise PinnaceError(
                    f"the reference is an array of shape {found.shape}, and the points of a domain are chosen here: "
                    f"give a function or an expression, or the points of the array, {{t: ts, x: xs}}."
                )
            wanted = (len(self.held), *self.shape)
            return _fitted(found.reshape(wanted) if found.size == np.prod(wanted) else found, wanted)
        slices = []
        for held in self.held:
            points = self.at(held)
            slices.append(_fitted(np.asarray(exact(*(points[key] for key in self.order)), float), self.shape))
        return np.stack(slices)

    def _expression(self, crux: Crux, exact: Expr) -> Float[np.ndarray, "slices *grid"]:
        def moved(key: Expr) -> Expr:
            return key if exact.points is None else coordinate_of(exact.points, key)

        slices = []
        for held in self.held:
            points = {moved(key): values for key, values in self.at(held).items()}
            found = crux.eval(exact, points if exact.points else None)
            slices.append(_fitted(np.asarray(found, float), self.shape))
        return np.stack(slices)

    def distance(self) -> Float[np.ndarray, "slices *grid"] | None:
        """The signed distance to the boundary of space, less what rounding may add; None where it is not known."""
        if self.space is None:
            return None
        slices = []
        for held in self.held:
            found = {key.data[1]: values for key, values in self.at(held).items() if self._in_space(key)}
            columns = [np.broadcast_to(found[axis], self.shape).ravel() for axis in range(self.space.dim)]
            points = np.stack(columns, axis=1)
            try:
                distance = np.asarray(self.space.signed_distance(jnp.asarray(points)), float)
            except DomainError:  # a cloud of points has no outside
                return None
            slices.append((distance - ROUNDING * np.abs(points).max()).reshape(self.shape))
        return np.stack(slices)

    def _in_space(self, coordinate: Expr) -> bool:
        return self.space is not None and coordinate.data[1] < self.space.dim


def grid_of(
    u: Expr, where: Where | None, slices: Slices | None = None, n: int | None = None, exact: Exact | None = None
) -> Grid:
    """The points of a domain, or those given, at each slice.

    Raises PinnaceError where they are not those of the expression.
    """
    if where is None:
        where = own_domain(u)
    if isinstance(where, Domain):
        return _over(u, where, slices or {}, n, exact)
    return _given(u, where, slices or {})


def coordinate_of(points: PointSet, key: Any) -> Expr:
    """The coordinate of a point set that is meant by its name, or by that of another set.

    Raises PinnaceError where it has none.
    """
    name = text(key) if isinstance(key, Expr) else str(key)
    if name not in points.axes:
        known = listed(points.axes)
        raise PinnaceError(f"{points!r} have no coordinate {name}; they have {known}.{did_you_mean(name, points.axes)}")
    return Expr("coordinate", (), (points, points.axes.index(name)))


def own_domain(u: Expr) -> Domain:
    """The domain of the points that an expression lives on. Raises PinnaceError where there is none."""
    if u.points is None or u.points.where is None:
        what = f"lives on {u.points!r}" if u.points else "lives on no points"
        raise PinnaceError(f"`{text(u)}` {what}: say where to draw it, a domain or {{x: xs, t: ts}}.")
    return u.points.where


def ranges_of(dom: Domain) -> dict[str, tuple[float, float]]:
    """From where to where each coordinate goes, by its name."""
    ranges = dict(zip(dom.shape.axes, dom.shape.bounds, strict=True))
    return ranges | {span.name: (span.start, span.stop) for span in dom.spans}


def _over(u: Expr, dom: Domain, slices: Slices, n: int | None, exact: Exact | None) -> Grid:
    points = u.points
    if points is None:
        raise PinnaceError(f"`{text(u)}` is one number, the same at all points of {dom!r}; see it by crux.eval(...).")
    ours = {coordinate_of(points, name): ends for name, ends in ranges_of(dom).items()}
    held = {coordinate_of(points, key): np.atleast_1d(np.asarray(value, float)) for key, value in slices.items()}
    everything = callable(exact) and not isinstance(exact, Expr)
    also = exact.depends if isinstance(exact, Expr) else ()
    used = {axis for _, axis in (*u.depends, *also)}
    free = [key for key in ours if key not in held and (everything or key.data[1] in used)]
    time = None if dom.span is None else coordinate_of(points, dom.span.name)
    held |= _middle([key for key in free if key is not time], time if time in free else None, ours)
    drawn = [key for key in free if key not in held]
    if not drawn:
        raise PinnaceError(f"`{text(u)}` has nothing to be drawn over in {dom!r}: leave one coordinate out of slices=.")
    drawn.sort(key=lambda key: key is not time)  # time to the right
    count = n or POINTS[len(drawn)]
    known = dom.shape if points.axes[: dom.shape.dim] == dom.shape.axes else None
    return Grid(
        {key: np.linspace(*ours[key], count) for key in drawn},
        _each(held),
        tuple(ours),
        _known_space(known, (*drawn, *held)),
        given=False,
    )


def _middle(space: list[Expr], time: Expr | None, ranges: Mapping[Expr, tuple[float, float]]) -> dict[Expr, Column]:
    """Where to hold coordinates so that two are left: several times, or several values of the third of space."""
    if len(space) + (time is not None) <= 2:
        return {}
    held = {key: np.array([np.mean(ranges[key])]) for key in space[2:]}
    if time is not None:
        held[time] = np.linspace(*ranges[time], 3)
    elif len(space) == 3:
        low, high = ranges[space[2]]
        held[space[2]] = low + (high - low) * np.array([0.25, 0.5, 0.75])
    return held


def _given(u: Expr, where: Mapping[Expr, Any], slices: Slices) -> Grid:
    values = {key: np.asarray(column, float) for key, column in where.items()}
    drawn = {key: column for key, column in values.items() if column.ndim}
    if len(drawn) not in (1, 2) or any(column.ndim != 1 for column in drawn.values()):
        raise PinnaceError(
            "a figure takes one or two coordinates with a vector of values each, {t: ts, x: xs}; got "
            f"{ {text(key): column.shape for key, column in values.items()} }. The others are held by "
            "slices={t: [0, 0.5, 1]}."
        )
    points = next(iter(drawn)).points
    held = {key: np.atleast_1d(column) for key, column in values.items() if not column.ndim}
    for key, value in slices.items():
        place = key if points is None else coordinate_of(points, key)
        held[place] = np.atleast_1d(np.asarray(value, float))
    space = None if points is None or points.where is None else points.where.shape
    return Grid(
        drawn, _each(held), tuple(dict.fromkeys((*values, *held))), _known_space(space, (*drawn, *held)), given=True
    )


def _known_space(space: Shape | None, keys: Sequence[Expr]) -> Shape | None:
    """The shape, where all its coordinates are among these."""
    found = {key.data[1] for key in keys}
    return space if space is not None and space.dim and set(range(space.dim)) <= found else None


def _each(held: Mapping[Expr, Column]) -> tuple[dict[Expr, float], ...]:
    return tuple(dict(zip(held, map(float, one), strict=True)) for one in product(*held.values()))


def _fitted(values: Values, shape: tuple[int, ...]) -> Values:
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise PinnaceError(f"the reference has shape {values.shape} on a grid of {_shown(shape)} points.") from None


def _shown(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
