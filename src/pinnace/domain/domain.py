"""What users hold: a shape, perhaps with time, and its regions."""

from dataclasses import dataclass, replace
from typing import Any

from pinnace._errors import DomainError, did_you_mean, listed
from pinnace.domain.batches import coordinates
from pinnace.domain.checks import count, different, span_of
from pinnace.domain.patch import Patch
from pinnace.domain.plan import Plan
from pinnace.domain.shape import Shape
from pinnace.domain.span import Span
from pinnace.points import SAMPLERS, Fixed

INSTANTS = ("initial", "final")


@dataclass(frozen=True)
class Domain:
    """Where an equation holds: a shape in space, over a span of time or without.

    Made by `pn.domain.interval`, `rectangle`, `box`, `disk` and `time`; immutable.
    """

    shape: Shape
    span: Span | None = None

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the coordinates, time last."""
        return self.shape.axes + ((self.span.name,) if self.span else ())

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that `variable` knows."""
        boundary = ("boundary",) if self.shape.dim else ()
        return ("interior", *boundary, *(INSTANTS if self.span else ()), *self.shape.sides)

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
        different((*self.shape.axes, name))
        return replace(self, span=Span(start, stop, name))

    def patch(self, region: str) -> Patch:
        """The region of that name, as points are drawn on it.

        Raises DomainError where there is none.
        """
        self._check(region)
        shape = self.shape
        if region in shape.sides:
            space = shape.boundary(shape.sides[region])
        else:
            space = shape.boundary() if region == "boundary" else shape.interior()
        if self.span is None:
            return space
        if region in INSTANTS:
            return self.span.held(space, self.span.start if region == "initial" else self.span.stop)
        return self.span.over(space)

    def variable(
        self,
        region: str,
        n: int = 1024,
        *,
        sampler: str = "sobol",
        resample: int | None = None,
        batch: int | None = None,
    ) -> Any:
        """Coordinates on about n points of a region: one symbol an axis, a single symbol for a single axis.

        Regions are "interior", "boundary", with time "initial" and "final", and the shape's own sides; with
        time the boundary and the sides are those of space over all times. A region of finitely many points
        (the ends of an interval without time, the initial point of an ODE) gives each of them once, whatever
        n.

        `sampler` is "sobol" (low discrepancy, best for n a power of two), "uniform" (independent) or "grid"
        (centres of equal cells; n is rounded to a full grid, and time counts as as long as space).
        `resample=k` draws fresh points every k steps of the training. With `batch=m` each step sees m of the n
        points, all of them in turn, none twice before each was seen once, in an order that is new each time
        round; the point set then has m points. The points themselves come from the key of `pn.core`. Raises
        DomainError for a region or sampler that does not exist, n, resample or batch below 1, a batch of more
        than all points, and a grid that is to be resampled.

        >>> import pinnace as pn
        >>> x, y = pn.domain.rectangle((0, 1), (0, 2)).variable("interior", 1000, sampler="grid")
        >>> x.points
        990 points of interior of rectangle((0, 1), (0, 2))
        """
        patch = self.patch(region)
        number = count(n, "n, the number of points,")
        _check_sampler(sampler, resample)
        kind = SAMPLERS[sampler] if patch.cover.dim else Fixed
        plan = Plan(self, region, patch, kind(number, patch.cover), resample)
        symbols = coordinates(self.axes, f"{region} of {self!r}", plan, batch)
        return symbols[0] if len(symbols) == 1 else symbols

    def _check(self, region: str) -> None:
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
        parts = [self.shape] * (self.shape.dim > 0) + [self.span] * (self.span is not None)
        return " x ".join(map(repr, parts))


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
