"""Parts of a shape under names of one's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.patch import Patch
from pinnace.domain.shape import Shape, Source, narrowed
from pinnace.domain.shares import accepted
from pinnace.expr import Expr

Predicate = Callable[..., Bool[Array, "n"]]
"""Truth values from one array `[n]` for each coordinate of space."""

PARTS = ("boundary", "interior")
TRIED = 7
"""Points that a predicate is tried with: a number that no other dimension has."""


@dataclass(frozen=True)
class Tagged(Shape):
    """A shape, and a name for the part of its boundary or interior where a predicate holds."""

    base: Shape
    name: str
    predicate: Predicate | None = None
    of: str = "boundary"

    @property
    def axes(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Names of the axes of space."""
        return self.base.axes

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.base.names, self.name) if self.of == "boundary" else self.base.names

    @property
    def zones(self) -> tuple[str, ...]:
        return (*self.base.zones, self.name) if self.of == "interior" else self.base.zones

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return self.base.bounds

    @property
    def scale(self) -> float:
        return self.base.scale

    def interior(self) -> Patch:
        return self.base.interior()

    def boundary(self, name: str | None = None) -> Patch:
        if name is None or name != self.name or self.of != "boundary":
            return self.base.boundary(name)
        return narrowed(self.base.boundary(), self._fulfils)

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        return self.base.signed_distance(points)

    def on(self, points: Float[Array, "n dim"], tolerance: float, name: str | None = None) -> Bool[Array, "n"]:
        if name is None or name != self.name or self.of != "boundary":
            return self.base.on(points, tolerance, name)
        return self.base.on(points, tolerance) & self._fulfils(points)

    def sources(self, name: str | None = None) -> tuple[Source, ...]:
        if name is None or name != self.name or self.of != "boundary":
            return self.base.sources(name)
        whole = self.base.sources()
        limits = (lambda points, normals: self._fulfils(points),)
        if len(whole) > 1:  # what is inside the combination that has the name is none of its boundary
            limits = (*limits, self.base.separates)
        return tuple(replace(source, limits=(*source.limits, *limits)) for source in whole)

    def in_zone(self, name: str, points: Float[Array, "n dim"]) -> Bool[Array, "n"]:
        if name != self.name or self.of != "interior":
            return self.base.in_zone(name, points)
        return self.base.contains(points) & self._fulfils(points)

    def depth(self, coordinates: Sequence[Expr], flat: int = 0) -> Expr:
        return self.base.depth(coordinates, flat)

    def surfaces(self, name: str, coordinates: Sequence[Expr]) -> list[tuple[Expr, Expr | None]]:
        if name != self.name or self.of != "boundary":
            return self.base.surfaces(name, coordinates)
        self._check_whole()
        return [(self.base.depth(coordinates), None)]

    def distance(self, name: str | None, coordinates: Sequence[Expr], normalized: bool) -> Expr:
        if name is None or name != self.name or self.of != "boundary":
            return self.base.distance(name, coordinates, normalized)
        self._check_whole()
        return self.base.distance(None, coordinates, normalized)

    def _check_whole(self) -> None:
        if self.predicate is not None:
            raise DomainError(
                f'"{self.name}" of {self!r} is told by a predicate, and a predicate has no distance. Write an expression '
                f"that is zero there and positive elsewhere, for example from the distances of sides, or use a loss. "
                f"What is the whole boundary of a part can be named without a predicate before it is combined: "
                f'rectangle - disk.tag("hole").'
            )

    def measure(self, name: str) -> float:
        own = name == self.name
        return super().measure(name) if own else self.base.measure(name)

    def _fulfils(self, points: Float[Array, "n dim"]) -> Bool[Array, "n"]:
        if self.predicate is None:
            return namespace(points).ones(points.shape[0], bool)
        return namespace(points).asarray(self.predicate(*points.T))

    def __repr__(self) -> str:
        inner = repr(self.base) if self.base.binds == self.binds else f"({self.base!r})"
        given = ", ..." if self.predicate is not None else ""
        part = f', of="{self.of}"' if self.of != "boundary" else ""
        return f'{inner}.tag("{self.name}"{given}{part})'


def tagged(shape: Shape, name: Any, predicate: Any, of: Any, taken: tuple[str, ...]) -> Tagged:
    """A shape with a region of that name. Raises DomainError where that cannot be, and where nothing is in it."""
    if not (isinstance(name, str) and name.strip()):
        raise DomainError(f"the name of a tag is a text; got {name!r}.")
    if not shape.dim:
        raise DomainError(f'tag("{name}") names a part of space, and {shape!r} has none.')
    if name in taken:
        raise DomainError(f'{shape!r} has a region "{name}" already: give the tag another name.')
    if of not in PARTS:
        raise DomainError(f'of= of tag("{name}") is "boundary" or "interior"; got {of!r}.')
    if predicate is not None:
        _try(predicate, name, shape)
    found = Tagged(shape, name, predicate, of)
    if predicate is not None and not _anything(found):
        raise DomainError(f'no {of} point of {shape!r} fulfils the predicate of tag("{name}").')
    return found


def _anything(found: Tagged) -> bool:
    """Whether there is a point in the part that has the name."""
    patch = found.region(found.name)
    return bool(len(patch.cover.measures)) and (patch.accepts is None or accepted(found, found.name).share > 0)


def _try(predicate: Any, name: str, shape: Shape) -> None:
    called = f"{len(shape.axes)} array{'s' * (shape.dim > 1)} [n], of {', '.join(shape.axes)}"
    rules = (
        f'the predicate of tag("{name}") is called with {called}, while JAX traces it, and gives n truth values: '
        f"use &, |, ~ and jax.numpy instead of and, or, not, if and NumPy, for example "
        f"lambda {', '.join(shape.axes)}: {shape.axes[0]} < 0.5"
    )
    if not callable(predicate):
        raise DomainError(f"{rules}; got {predicate!r}.")
    columns = [jax.ShapeDtypeStruct((TRIED,), jnp.result_type(float))] * shape.dim
    try:
        given = jax.eval_shape(predicate, *columns)
    except (TypeError, jax.errors.JAXTypeError, jax.errors.JAXIndexError) as wrong:
        raise DomainError(f"{rules}. It failed: {str(wrong).splitlines()[0]}") from wrong
    fits = isinstance(given, jax.ShapeDtypeStruct) and given.shape == (TRIED,) and given.dtype == bool
    if not fits:
        what = (
            f"an array of shape {given.shape} and type {given.dtype}"
            if isinstance(given, jax.ShapeDtypeStruct)
            else repr(given)
        )
        raise DomainError(f"{rules}; for {TRIED} points it gave {what}.")
