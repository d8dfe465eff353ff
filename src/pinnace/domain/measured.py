"""Measured values at given points, as expressions."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int, Key

from pinnace._errors import DomainError
from pinnace.expr import Expr, PointSet


class Given:
    """A plan whose points stay as they were given; a measured value is one more coordinate of its point."""

    moves = False
    redraws = False
    grid = None
    has_normals = False

    def __init__(self, table: Float[np.ndarray, "n d"]) -> None:
        self.table = table

    @property
    def told(self) -> tuple[Any, ...]:
        """What tells it from plans of other points."""
        return (self.table,)

    def range_of(self, axis: int) -> tuple[float, float]:
        """From where to where the values of a column go."""
        column = self.table[:, axis]
        return float(column.min()), float(column.max())

    def init(self, key: Key[Array, ""]) -> tuple[Float[Array, "n d"], Any]:
        """The points, in JAX's default float type."""
        return jnp.asarray(self.table, jnp.result_type(float)), ()

    def update(
        self,
        points: Float[Array, "n d"],
        state: Any,
        *,
        step: Int[Array, ""] | int,
        key: Key[Array, ""],
        place: Any = None,
    ) -> tuple[Float[Array, "n d"], Any]:
        """The same points."""
        return points, state


def data(**columns: Float[ArrayLike, " n"]) -> tuple[Expr, ...]:
    """Coordinates and measured values as expressions on one point set: one symbol for each column, in their order.

    Every column is a vector of n finite numbers, one for each measurement. Raises DomainError where they are not.

    >>> import pinnace as pn
    >>> x, u_seen = pn.domain.data(x=[0.0, 0.5, 1.0], u_seen=[0.1, 0.4, 0.9])
    >>> misfit = (x**2 - u_seen).mse.named("data")
    """
    arrays = {name: np.asarray(column, float) for name, column in columns.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    if not arrays or len(set(shapes.values())) > 1 or any(len(shape) != 1 or not shape[0] for shape in shapes.values()):
        raise DomainError(f"data takes columns of equal length, data(x=[...], u_seen=[...]); got shapes {shapes}.")
    for name, array in arrays.items():
        if not np.all(np.isfinite(array)):
            row = int(np.argmin(np.isfinite(array)))
            raise DomainError(f"{name}[{row}] is {array[row]}: leave out the rows that were not measured.")
    table = np.stack(list(arrays.values()), axis=1)
    points = PointSet(tuple(arrays), "the data", len(table), Given(table))
    return tuple(Expr("coordinate", (), (points, axis)) for axis in range(len(arrays)))
