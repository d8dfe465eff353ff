"""Where the arrays of a state lie on a mesh of devices: points spread, parameters whole or spread, the rest whole."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, PyTree

from pinnace.expr import PointSet
from pinnace.lower import batches
from pinnace.step.scale import MODEL, POINTS, Scale
from pinnace.step.state import State

WIDE = 256
"""The length from which on an axis of a parameter is spread."""


@dataclass(frozen=True)
class Placement:
    """How the states of one problem lie. Without a mesh nothing is moved, filled up or constrained."""

    scale: Scale
    points: tuple[PointSet, ...]

    def rows(self, count: int) -> int:
        """The length of the array of so many points: devices and batches divide it."""
        mesh = self.scale.mesh
        if mesh is None:
            return count
        equal = mesh.shape[POINTS] * batches(count, self.scale.microbatch)
        return -(-count // equal) * equal

    def how(self, here: Sequence[PointSet] | None = None) -> dict[str, Any]:
        """How expressions are evaluated; `here` are the sets that lie as they do in the state, by default all."""
        sets = self.points if here is None else here
        counts = {points: points.size for points in sets if self.rows(points.size) > points.size}
        whole = sets if self.scale.mesh is None else ()
        grids = {points: points.plan.grid for points in whole if points.plan.grid is not None}
        return {"counts": counts, "grids": grids, "microbatch": self.scale.microbatch, "remat": self.scale.remat}

    def spread(self, drawn: Float[Array, "n d"]) -> Float[Array, "rows d"]:
        """Points as they are drawn, inside the step, as the state has them: copies of the first fill up the rest."""
        if self.scale.mesh is None:
            return drawn
        rows = self.rows(len(drawn))
        if rows > len(drawn):
            # drawn whole on every device: to fill up what is spread would be a gather
            drawn = lax.with_sharding_constraint(drawn, _along(self.scale.mesh))
            drawn = drawn[jnp.arange(rows) % len(drawn)]
        return lax.with_sharding_constraint(drawn, _along(self.scale.mesh, POINTS))

    def real(self, points: PointSet | None, value: Array) -> Array:
        """A value at the points of a set, inside the step, without the rows that only fill it up."""
        known = points in self.points and self.rows(points.size) > points.size if points else False
        return value[: points.size] if points and known else value

    def whole(self, tree: PyTree) -> PyTree:
        """The tree, inside the step, with every device having all of it."""
        mesh = self.scale.mesh
        return tree if mesh is None else lax.with_sharding_constraint(tree, jax.tree.map(lambda _: _along(mesh), tree))

    def held(self, state: State) -> State:
        """The state, inside the step, lying as it should."""
        return state if self.scale.mesh is None else lax.with_sharding_constraint(state, self._shardings(state))

    def place(self, state: State) -> State:
        """A state from the host, or of one device, as the step takes it."""
        if self.scale.mesh is None:
            return state
        filled = tuple(_filled(array, self.rows(len(array))) for array in state.points)
        host = jax.tree.map(np.asarray, replace(state, points=filled))
        return jax.tree.map(_placed, host, self._shardings(host))

    def copies(self, tree: PyTree) -> PyTree:
        """A tree that every device gets all of, as the step takes it; Python numbers stay what they are."""
        mesh = self.scale.mesh
        if mesh is None:
            return tree
        arrays = (jax.Array, np.ndarray)
        return jax.tree.map(lambda leaf: _placed(leaf, _along(mesh)) if isinstance(leaf, arrays) else leaf, tree)

    def plain(self, state: State) -> State:
        """A state of the step as one device has it: what the user sees and what files hold.

        On several processes all of them have to ask for it.
        """
        if self.scale.mesh is None:
            return state
        return self.local(_gathered(self, state))

    def real_rows(self, state: State) -> State:
        """The state, to be traced, without the points that only fill up a set."""
        points = (array[: points.size] for points, array in zip(self.points, state.points, strict=True))
        return replace(state, points=tuple(points))

    def modules(self, state: State) -> tuple[PyTree, ...]:
        """The arrays of the trained modules, as one device has them."""
        return state.params if self.scale.mesh is None else self.local(_whole(self, state.params))

    def local(self, tree: PyTree) -> PyTree:
        """Arrays that every device has all of, as arrays of the default device."""
        return tree if self.scale.mesh is None else jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), tree)

    def _shardings(self, state: State) -> State:
        mesh = self.scale.mesh
        assert mesh is not None
        everywhere = jax.tree.map(lambda _: _along(mesh), state)
        wide = partial(_wide, mesh)
        return replace(
            everywhere,
            params=jax.tree.map(wide, state.params),
            optimizers=jax.tree.map(wide, state.optimizers),
            points=tuple(_along(mesh, POINTS) for _ in state.points),
        )


@partial(jax.jit, static_argnums=0)
def _gathered(placement: Placement, state: State) -> State:
    return placement.whole(placement.real_rows(state))


@partial(jax.jit, static_argnums=0)
def _whole(placement: Placement, tree: PyTree) -> PyTree:
    return placement.whole(tree)


def _along(mesh: Mesh, *axes: str | None) -> NamedSharding:
    split = [axis if axis and mesh.shape[axis] > 1 else None for axis in axes]
    while split and split[-1] is None:
        split.pop()
    return NamedSharding(mesh, PartitionSpec(*split))


def _wide(mesh: Mesh, leaf: Array) -> NamedSharding:
    """A parameter or a moment of it: along its longest axis that the devices divide, where that is long."""
    parts = mesh.shape.get(MODEL, 1)
    fitting = [k for k, length in enumerate(leaf.shape) if length >= WIDE and length % parts == 0]
    if parts == 1 or len(leaf.shape) < 2 or not fitting:
        return _along(mesh)
    longest = max(fitting, key=lambda k: leaf.shape[k])
    return _along(mesh, *(None,) * longest, MODEL)


def _filled(points: Any, rows: int) -> np.ndarray:
    array = np.asarray(points)
    return array[np.arange(rows) % len(array)]


def _placed(leaf: Any, sharding: NamedSharding) -> Array:
    """Every process makes its own part of the array from its own copy."""
    array = np.asarray(leaf)
    return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])
