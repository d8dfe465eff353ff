"""Domains that are nothing but points, some for each region."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace
from pinnace.domain.checks import axis_names
from pinnace.domain.domain import INSTANTS, Domain
from pinnace.domain.facets import distance, nearest
from pinnace.domain.patch import Patch
from pinnace.domain.shape import Shape, Source
from pinnace.points import Cover

Points = Float[np.ndarray, "n dim"]
Table = tuple[Points, Points | None]
"""Points, and their outward normals where they have some."""


@dataclass(frozen=True, eq=False)
class Cloud(Shape):
    """Points that somebody else chose. It has no inside in which there were others. Compares by value."""

    tables: Mapping[str, Table]
    """Points of the interior, of the boundary where they are known, and of parts with a name."""
    axes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in self.tables if name not in ("interior", "boundary"))

    @property
    def bounded(self) -> bool:
        return "boundary" in self.tables

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        every = np.concatenate([points for points, _ in self.tables.values()])
        return tuple(zip(every.min(axis=0).tolist(), every.max(axis=0).tolist(), strict=True))

    def interior(self) -> Patch:
        return self._patch("interior")

    def boundary(self, name: str | None = None) -> Patch:
        return self._patch("boundary" if name is None else name)

    def _patch(self, name: str) -> Patch:
        points, outward = self.tables[name]
        cover = Cover(np.ones(len(points)), np.zeros((len(points), 0)))

        def place(piece: Int[Array, "n"], unit: Float[Array, "n cube"]) -> Float[Array, "n dim"]:
            return namespace(piece).asarray(points.astype(unit.dtype))[piece]

        def normals(those: Float[Array, "n dim"]) -> Float[Array, "n dim"]:
            assert outward is not None
            return namespace(those).asarray(outward.astype(those.dtype))[nearest(those, points[:, None])]

        return Patch(cover, place, None if outward is None else normals)

    def signed_distance(self, points: Float[Array, "n dim"]) -> Float[Array, "n"]:
        raise DomainError(self._no("has no inside and no distance to a boundary"))

    def on(self, points: Float[Array, "n dim"], tolerance: float, name: str | None = None) -> Bool[Array, "n"]:
        return distance(points, self.tables["boundary" if name is None else name][0][:, None]) <= tolerance

    def sources(self, name: str | None = None) -> tuple[Source, ...]:
        raise DomainError(self._no("cannot be combined with other shapes"))

    def measure(self, name: str) -> float:
        raise DomainError(self._no(f'has no length, area or volume of "{name}"'))

    def _no(self, what: str) -> str:
        return (
            f"{self!r} {what}: it is points, and nothing is known between them. A shape with these corners would be "
            f"pn.domain.polygon(vertices), pn.domain.shapely(geometry) or pn.domain.mesh(path)."
        )

    @cached_property
    def _digest(self) -> bytes:
        found = hashlib.sha256(repr(self.axes).encode())
        for name, table in self.tables.items():
            found.update(repr([name, [None if one is None else one.shape for one in table]]).encode())
            for one in table:
                found.update(b"" if one is None else np.ascontiguousarray(one).tobytes())
        return found.digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cloud) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return f"cloud({len(self.tables['interior'][0])} points)"


def cloud(
    interior: Float[ArrayLike, "n dim"],
    boundary: Float[ArrayLike, "m dim"] | None = None,
    normals: Float[ArrayLike, "m dim"] | None = None,
    *,
    names: Sequence[str] | None = None,
    **regions: Any,
) -> Domain:
    """A domain of given points: `variable("interior")` has each of them once, whatever n.

    `interior` and `boundary` are arrays `[n, dim]`, `normals` the outward normals at the boundary points, of any
    length. Further regions are arrays too, or pairs (points, normals): `cloud(inside, edge, sensors=where)`. Axes as
    those of a box, or `names`. With `.time(...)` or `.vary(...)` a set has n points: each time or parameter, evenly,
    with a point chosen evenly. Such a domain has no volume and combines with no other.

    Raises DomainError for arrays of other shapes, values that are not finite, and normals of no length.

    >>> import numpy as np, pinnace as pn
    >>> angle = np.linspace(0, 6.28, 50)
    >>> edge = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    >>> dom = pn.domain.cloud(0.5 * edge, edge, normals=edge, sensors=[[0.0, 0.0]])
    >>> xb, yb = dom.variable("boundary")
    >>> nx, ny = pn.normal(xb, yb)
    """
    if normals is not None and boundary is None:
        raise DomainError("normals= are those at boundary points: give these too, cloud(interior, boundary, normals).")
    given: dict[str, Any] = {"interior": (interior, None)} | (
        {} if boundary is None else {"boundary": (boundary, normals)}
    )
    for name, value in regions.items():
        if name in ("interior", "boundary", *INSTANTS):
            raise DomainError(f'"{name}" is a region of its own kind; give these points another name.')
        given[name] = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
    tables: dict[str, Table] = {}
    dim = None
    for name, (points, outward) in given.items():
        found = _table(points, f"the points of {name}", dim)
        dim = found.shape[1]
        tables[name] = found, None if outward is None else _unit(outward, name, found)
    return Domain(Cloud(tables, axis_names(names, dim or 0)))


def _table(points: Any, what: str, dim: int | None) -> Points:
    try:
        found = np.asarray(points, float)
    except (TypeError, ValueError):
        found = np.zeros((0, 0))
    found: Any = found[:, None] if found.ndim == 1 else found
    wanted = "n, dim" if dim is None else f"n, {dim}"
    if found.ndim != 2 or not found.size or found.shape[1] != (dim or found.shape[1]):
        raise DomainError(f"{what} are an array of shape [{wanted}], one row a point; got shape {np.shape(points)}.")
    if not np.all(np.isfinite(found)):
        row = int(np.argmin(np.isfinite(found).all(axis=1)))
        raise DomainError(f"{what}: row {row} is {tuple(found[row].tolist())}; leave out rows that are not finite.")
    return found


def _unit(normals: Any, name: str, points: Points) -> Points:
    found = _table(normals, f"the normals of {name}", points.shape[1])
    if len(found) != len(points):
        raise DomainError(f"{name} has {len(points)} points and {len(found)} normals; give one normal a point.")
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    if not lengths.all():
        raise DomainError(f"the normals of {name}: row {int(np.argmin(lengths[:, 0]))} has no length.")
    return found / lengths
