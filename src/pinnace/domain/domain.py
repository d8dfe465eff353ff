"""What users hold: a shape, perhaps with time and parameters, and its regions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pinnace._errors import DomainError, did_you_mean, listed
from pinnace.domain.checks import count, different, span_of
from pinnace.domain.combination import combined
from pinnace.domain.distances import distance
from pinnace.domain.patch import Patch
from pinnace.domain.plan import Plan
from pinnace.domain.shape import LEAF, Shape
from pinnace.domain.shares import Accepted, accepted
from pinnace.domain.span import Span
from pinnace.domain.tagged import Predicate, tagged
from pinnace.expr import Expr, PointSet
from pinnace.points import SAMPLERS, Fixed

INSTANTS = ("initial", "final")


@dataclass(frozen=True)
class Domain:
    """Where an equation holds: a shape in space, over a span of time and of parameters or without.

    Made by the functions of `pn.domain`; immutable. `a | b`, `a & b` and `a - b` are unions, intersections and
    differences of domains without time and parameters.
    """

    shape: Shape
    spans: tuple[Span, ...] = ()

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the coordinates: those of space, then time and parameters in the order in which they were added."""
        return self.shape.axes + tuple(span.name for span in self.spans)

    @property
    def span(self) -> Span | None:
        """The span of time; None where there is none."""
        return next((span for span in self.spans if span.is_time), None)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that `variable` knows."""
        boundary = ("boundary",) if self.shape.dim else ()
        return ("interior", *boundary, *(INSTANTS if self.span else ()), *self.shape.names, *self.shape.zones)

    def time(self, t0: float, t1: float, *, name: str = "t") -> "Domain":
        """The same domain over the times from t0 to t1, which become the last coordinate.

        Raises DomainError unless t0 < t1, both finite, or where the domain has time already.

        >>> import pinnace as pn
        >>> pn.domain.disk().time(0, 0.5)
        disk(center=(0, 0), radius=1) x time(0, 0.5)
        """
        written = f"time({t0!r}, {t1!r})"
        if self.span:
            raise DomainError(f"{self!r} has time already: leave out .{written}.")
        start, stop = span_of(t0, t1, written, ("t0", "t1"))
        if not (isinstance(name, str) and name.strip()):
            raise DomainError(f"the name of time is a text; got {name!r}.")
        return self._with(Span(start, stop, name))

    def vary(self, **ranges: tuple[float, float]) -> "Domain":
        """The same domain for all values of some parameters, which become further coordinates: `.vary(k=(0.5, 1.5))`.

        `ranges` are pairs (low, high), one a parameter, in the order of the coordinates. Every region is then over all
        values of them. Raises DomainError unless low < high, all finite, and for a name that a coordinate has already.

        >>> import pinnace as pn
        >>> dom = pn.domain.interval(0, 1).time(0, 2).vary(k=(0.5, 1.5), a=(0, 1))
        >>> x, t, k, a = dom.variable("initial", 1000)
        """
        if not ranges:
            raise DomainError("vary() has no parameters: give a range for each, for example vary(k=(0.5, 1.5)).")
        found = self
        for name, pair in ranges.items():
            written = f"vary({name}={pair!r})"
            if not (isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2):
                raise DomainError(f"{written} takes a pair (low, high), for example vary({name}=(0.5, 1.5)).")
            start, stop = span_of(*pair, f"{pair!r} in {written}", ("low", "high"))
            found = found._with(Span(start, stop, name, is_time=False))
        return found

    def _with(self, span: Span) -> "Domain":
        different((*self.axes, span.name))
        return replace(self, spans=(*self.spans, span))

    def tag(self, name: str, predicate: Predicate | None = None, *, of: str = "boundary") -> "Domain":
        """The same domain with a region of one's own name: the part of the boundary where a predicate holds.

        `predicate` is called with one array for each coordinate of space, and gives as many truth values; JAX traces
        it (`&`, `|`, `~` and jax.numpy, no `and`, `or`, `if`). Without it the name is one of the whole boundary.
        `of="interior"` names a part of the interior. Names stay when domains are combined: each is what is left of it.
        Raises DomainError for a name that is taken, a predicate that gives something else, or one that holds nowhere.

        >>> import pinnace as pn
        >>> room = pn.domain.rectangle((0, 2), (0, 1)) - pn.domain.disk((0.5, 0.5), 0.2).tag("pillar")
        >>> room = room.tag("inlet", lambda x, y: (x == 0) & (y > 0.5))
        >>> room.regions[-2:]
        ('pillar', 'inlet')
        """
        return replace(self, shape=tagged(self.shape, name, predicate, of, (*self.regions, *INSTANTS)))

    def __or__(self, other: "Domain") -> "Domain":
        return self._combined("|", other)

    def __and__(self, other: "Domain") -> "Domain":
        return self._combined("&", other)

    def __sub__(self, other: "Domain") -> "Domain":
        return self._combined("-", other)

    def _combined(self, operator: str, other: Any) -> "Domain":
        if not isinstance(other, Domain):
            raise DomainError(f"{self!r} {operator} {other!r}: a domain is combined with a domain.")
        for one in (self, other):
            if one.spans:
                added = " and ".join(dict.fromkeys("time" if span.is_time else "parameters" for span in one.spans))
                raise DomainError(
                    f"{one!r} has {added}, and domains of space are combined. Combine first, then add what all have: "
                    f"(a {operator} b).{one.spans[0]!r}."
                )
        return Domain(combined(operator, self.shape, other.shape))

    def patch(self, region: str) -> Patch:
        """The region of that name, as points are drawn on it.

        Raises DomainError where there is none.
        """
        self.check_region(region)
        patch = self.shape.region(_in_space(region))
        for span in self.spans:
            if span.is_time and region in INSTANTS:
                patch = span.held(patch, span.start if region == "initial" else span.stop)
            else:
                patch = span.over(patch)
        return patch

    def accepted(self, region: str) -> Accepted:
        """How much is accepted of what the patch of a region gives."""
        return accepted(self.shape, _in_space(region))

    def measure(self, region: str = "interior") -> float:
        """The length, area or volume of a region: that of its part in space times the spans of time and parameters.

        Single points count. Exact, but for what is left of boundaries where shapes meet, of parts that overlap, and for
        tags: there estimated once, on the host, from 2^16 candidates of low discrepancy or more (three to four digits).

        >>> import pinnace as pn
        >>> pn.domain.rectangle((0, 2), (0, 1)).time(0, 3).measure()
        6.0
        """
        self.check_region(region)
        over = [span for span in self.spans if not (span.is_time and region in INSTANTS)]
        return self.shape.measure(_in_space(region)) * math.prod(span.stop - span.start for span in over)

    def variable(self, region: str, n: int = 1024, *, sampler: str = "sobol", resample: int | None = None) -> Any:
        """Coordinates on about n points of a region: one symbol an axis, a single symbol for a single axis.

        Regions are "interior", "boundary", with time "initial" and "final", and the shape's own sides and tags; with
        time and parameters the boundary and the sides are those of space over all of them. A region of finitely
        many points (the ends of an interval without time, the initial point of an ODE) gives each of them once,
        whatever n.

        `sampler` is "sobol" (low discrepancy, best for n a power of two), "uniform" (independent) or "grid"
        (centres of equal cells; n is rounded to a full grid, and time counts as as long as space).
        `resample=k` draws fresh points every k steps of the training. The points themselves come from the key
        of `pn.core`. Raises DomainError for a region or sampler that does not exist, n or resample below 1,
        and a grid that is to be resampled.

        >>> import pinnace as pn
        >>> x, y = pn.domain.rectangle((0, 1), (0, 2)).variable("interior", 1000, sampler="grid")
        >>> x.points
        990 points of interior of rectangle((0, 1), (0, 2))
        """
        patch = self.patch(region)
        number = count(n, "n, the number of points,")
        _check_sampler(sampler, resample)
        kind = SAMPLERS[sampler] if patch.cover.dim else Fixed
        plan = Plan(self, region, patch, kind, number, resample)
        points = PointSet(self.axes, f"{region} of {self!r}", plan.size, plan)
        symbols = tuple(Expr("coordinate", (), (points, axis)) for axis in range(len(self.axes)))
        return symbols[0] if len(symbols) == 1 else symbols

    def distance(self, region: str | Sequence[str], *coordinates: Expr, normalized: bool = False) -> Expr:
        """A smooth stand-in for the distance to a region: exactly zero there, positive elsewhere inside.

        Regions are "boundary", the shape's own names, with time "initial" and "final"; a list of several means all of
        them. It is what holds a condition exactly: `g + dom.distance("boundary") * net(x, y)` is g on the boundary.
        Without coordinates it is an expression that takes the points of what it meets, by the names of the axes; with
        one coordinate (or expression) for each axis it is at these. Of the first order next to the region: it is
        the distance times something positive.

        `normalized=True` makes the slope 1 on the region at all points but corners, which conditions on a flux need,
        and for which second derivatives are like 1 / r at a distance r from a corner. Otherwise the slope goes to zero
        at corners, and derivatives of all orders are bounded where two sides of a box meet; docs/domains.md has how
        both train. Raises DomainError for a region that does not exist, is no part of the boundary or has no such
        expression.

        Sources: see `rvachev`.

        >>> import pinnace as pn
        >>> dom = pn.domain.rectangle((0, 2), (0, 1))
        >>> x, y = dom.variable("interior", 100)
        >>> print(dom.distance("boundary") * pn.np.sin(x))
        x * (2 - x) / 2 * (y * (1 - y)) * 2.0 * sin(x)
        >>> dom.distance("left")
        x
        """
        return distance(self, region, coordinates, normalized)

    def check_region(self, region: str) -> None:
        """Raises DomainError where there is no region of that name."""
        if isinstance(region, str) and region in self.regions:
            return
        if region in INSTANTS:
            raise DomainError(
                f'{self!r} has no time, and so no region "{region}". Add time: .time(t0, t1), for example .time(0, 1).'
            )
        raise DomainError(
            f"{self!r} has no region {region!r}; it has {listed(self.regions)}.{did_you_mean(region, self.regions)}"
        )

    def __repr__(self) -> str:
        space = repr(self.shape) if self.shape.binds == LEAF or not self.spans else f"({self.shape!r})"
        parts, varied = [space] * (self.shape.dim > 0), []
        for k, span in enumerate(self.spans):
            if span.is_time:
                parts.append(repr(span))
                continue
            varied.append(f"{span.name}={span.bounds}")
            if k + 1 == len(self.spans) or self.spans[k + 1].is_time:
                parts.append(f"vary({', '.join(varied)})")
                varied = []
        return " x ".join(parts)


def _in_space(region: str) -> str:
    """Which region of the shape it is."""
    return "interior" if region in INSTANTS else region


def _check_sampler(sampler: str, resample: int | None) -> None:
    if not (isinstance(sampler, str) and sampler in SAMPLERS):
        raise DomainError(
            f"there is no sampler {sampler!r}; there are {listed(SAMPLERS)}.{did_you_mean(sampler, SAMPLERS)}"
        )
    if resample is None:
        return
    count(resample, "resample, the steps between fresh points,")
    if not SAMPLERS[sampler].random:
        others = listed(name for name, kind in SAMPLERS.items() if kind.random)
        raise DomainError(
            f'sampler="{sampler}" gives the same points each time, so resample={resample!r} does nothing. '
            f"Leave resample out, or take one of {others}."
        )
