"""How the points of one set are drawn, at the start and again inside the step."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key

from pinnace._errors import DomainError
from pinnace.domain.patch import Patch
from pinnace.domain.shares import LARGEST, picked, too_small
from pinnace.points import Sampler, fresh_every


class Plan:
    """The points of one region of one domain. Pure functions; equal only to itself.

    `domain` and `region` tell where the points are, `size` how many, `moves` whether the step has to call `update`.
    Where a patch does not accept all points, so many candidates are drawn that enough are left, and the first of those
    that are accepted are the points.
    """

    def __init__(
        self, domain: Any, region: str, patch: Patch, kind: type[Sampler], n: int, resample: int | None
    ) -> None:
        self.domain, self.region, self.patch, self.kind, self.n = domain, region, patch, kind, n
        self.sampler, self.size = _filled(domain, region, patch, kind, n)
        self.resample = resample if self.sampler.random else None
        # bounds that the precision cannot hold are told here, not by core
        cube = jax.ShapeDtypeStruct((1, self.sampler.cover.dim), jnp.result_type(float))
        jax.eval_shape(patch.place, jax.ShapeDtypeStruct((1,), int), cube)

    def __reduce__(self) -> tuple[Any, ...]:
        # the maps of a patch are closures, and follow from the domain
        return _restored, (self.domain, self.region, self.kind, self.n, self.resample)

    @property
    def told(self) -> tuple[Any, ...]:
        """What tells it from plans of other points."""
        return self.domain, self.region, self.kind, self.n, self.resample

    @cached_property
    def measure(self) -> float:
        """The length, area or volume of the region, in all of its coordinates."""
        return self.domain.measure(self.region)

    @property
    def moves(self) -> bool:
        """Whether points are drawn again during training."""
        return self.resample is not None

    @cached_property
    def grid(self) -> tuple[int, ...] | None:
        """How many points there are along each coordinate, where they are a full grid, the last one fastest."""
        counts = self.sampler.grid
        if counts is None or len(counts) < 2:
            return counts
        with jax.ensure_compile_time_eval():
            points = np.asarray(self.init(jax.random.key(0))[0])
        axes = range(len(counts))
        lattice = points.reshape(*counts, -1)
        lines = [lattice[tuple(slice(None) if k == axis else 0 for k in axes)] for axis in axes]
        if points.shape[1] != len(counts):
            return None
        full = np.meshgrid(*(line[:, axis] for axis, line in enumerate(lines)), indexing="ij")
        return counts if np.array_equal(np.stack(full, axis=-1), lattice) else None

    @property
    def has_normals(self) -> bool:
        """Whether the points are on the boundary of space."""
        return self.patch.normals is not None

    @property
    def redraws(self) -> bool:
        """Whether another key gives other points."""
        return self.sampler.random

    def range_of(self, axis: int) -> tuple[float, float]:
        """From where to where the coordinate of that number goes in the domain.

        Raises DomainError for a coordinate of space.
        """
        beside = axis - self.domain.shape.dim
        if beside < 0:
            raise DomainError(
                f"{self.domain.axes[axis]} is a coordinate of space, without a range of its own; give time."
            )
        return self.domain.spans[beside].start, self.domain.spans[beside].stop

    @property
    def base(self) -> Any:
        """Arrays that `fresh` and `update` need and that no key changes."""
        return jax.tree.map(jnp.asarray, self.sampler.base(jnp.result_type(float)))

    def fresh(self, base: Any, key: Key[Array, ""], dtype: DTypeLike) -> Float[Array, "n d"]:
        """The points of another key."""
        return _draw(self, dtype, base, key)

    def init(self, key: Key[Array, ""]) -> tuple[Float[Array, "n d"], Any]:
        """The first points, in JAX's default float type, and the state that `update` needs.

        The same key gives the same points, in every process.
        """
        base = self.base
        return _draw(self, jnp.result_type(float), base, key), base if self.moves else ()

    def update(
        self,
        points: Float[Array, "n d"],
        state: Any,
        *,
        step: Int[Array, ""] | int,
        key: Key[Array, ""],
        place: Callable[[Float[Array, "n d"]], Array] = lambda points: points,
    ) -> tuple[Float[Array, "n d"], Any]:
        """The points of this step: fresh ones at the steps k, 2k, ... of `resample=k`, else the same.

        `place` makes of fresh points what the step keeps, where it spreads them over devices.
        """
        if self.resample is None:
            return points, state

        def draw(key: Key[Array, ""]) -> Array:
            return place(_draw(self, points.dtype, state, key))

        return fresh_every(self.resample, draw, points, step=step, key=key), state

    def normals(self, points: Float[Array, "n d"]) -> Float[Array, "n space"]:
        """Outward unit normals at points of this boundary, time left out.

        Raises DomainError where the points are no boundary of space.
        """
        if self.patch.normals is None:
            raise DomainError(f'"{self.region}" of {self.domain!r} is no boundary of space and has no normal.')
        return self.patch.normals(points[:, : self.domain.shape.dim])


def _restored(domain: Any, region: str, kind: type[Sampler], n: int, resample: int | None) -> Plan:
    return Plan(domain, region, domain.patch(region), kind, n, resample)


def _filled(domain: Any, region: str, patch: Patch, kind: type[Sampler], n: int) -> tuple[Sampler, int]:
    """The sampler whose points are candidates, and how many points there will be."""
    if not len(patch.cover.measures):
        raise too_small(region, domain, 0)
    if patch.accepts is None:
        sampler = kind(n, patch.cover)
        return sampler, sampler.size
    found = domain.accepted(region)
    if not found.share or (pool := found.pool(n)) > LARGEST:
        raise too_small(region, domain, found.share)
    if kind.random:
        return kind(pool, patch.cover), n
    sampler = picked(kind, n, patch, found.share)
    if not sampler.size:
        raise too_small(region, domain, found.share)
    return sampler, sampler.size


# compiled on its own, so that eager and jitted callers get the same bits: where XLA sees a multiplication and
# an addition together, it rounds once instead of twice
@partial(jax.jit, static_argnums=(0, 1))
def _draw(plan: Plan, dtype: DTypeLike, base: Any, key: Key[Array, ""]) -> Float[Array, "n d"]:
    piece, unit = plan.sampler.draw(base, key, dtype)
    points = plan.patch.place(piece, unit)
    if plan.patch.accepts is None or not plan.sampler.random:
        return points
    good = plan.patch.accepts(piece, unit, points)
    first = jnp.argsort(~good, stable=True)
    # in the practically impossible case that too few are accepted, some of them twice
    return points[first[jnp.arange(plan.size) % jnp.maximum(good.sum(), 1)]]
