"""Measured values at given points, as expressions."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, ArrayLike, Float, Int, Key

from pinnace._errors import DomainError
from pinnace.domain.batches import coordinates
from pinnace.domain.columns import columns_of, numbers
from pinnace.expr import Expr
from pinnace.expr import np as functions


class Given:
    """A plan whose points stay as they were given; a measured value is one more coordinate of its point."""

    moves = False
    redraws = False
    grid = None
    has_normals = False
    normals = None
    domain = None
    region = ""
    words = ("as given",)
    base = ()

    def __init__(self, table: Float[np.ndarray, "n d"]) -> None:
        self.table = table

    @property
    def told(self) -> tuple[Any, ...]:
        """What tells it from plans of other points."""
        return (self.table,)

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.table)

    def range_of(self, axis: int) -> tuple[float, float]:
        """From where to where the values of a column go."""
        column = self.table[:, axis]
        return float(column.min()), float(column.max())

    def fresh(self, base: Any, key: Key[Array, ""], dtype: DTypeLike) -> Float[Array, "n d"]:
        """The same points, whatever the key."""
        return jnp.asarray(self.table, dtype)

    def init(self, key: Key[Array, ""]) -> tuple[Float[Array, "n d"], Any]:
        """The points, in JAX's default float type."""
        return self.fresh((), key, jnp.result_type(float)), ()

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


def data(table: Any = None, /, *, batch: int | None = None, **columns: Float[ArrayLike, "n *k"]) -> tuple[Expr, ...]:
    """Coordinates and measured values as expressions on one point set: one symbol for each column, in their order.

    Columns are vectors of n finite numbers, one for each measurement, given by name or as a `table` of named columns: a
    DataFrame, a dict, a structured array. Whole numbers and truth values become real numbers; an array `[n, k]` becomes
    a vector of k components at each point. With `batch=m` each step sees m of the n rows, all of them in turn, in an
    order that is new each time round. Raises DomainError for what is no such column, and names row and column.

    >>> import pinnace as pn
    >>> x, u_seen = pn.domain.data(x=[0.0, 0.5, 1.0], u_seen=[0.1, 0.4, 0.9])
    >>> misfit = (x**2 - u_seen).mse.named("data")
    """
    found = {name: numbers(name, column) for name, column in columns_of(table, columns).items()}
    lengths = {name: array.shape for name, array in found.items()}
    if not found or len({shape[0] for shape in lengths.values()}) > 1 or not next(iter(lengths.values()))[0]:
        raise DomainError(f"data takes columns of equal length, data(x=[...], u_seen=[...]); got shapes {lengths}.")
    names = [name for column, array in found.items() for name in _names(column, array)]
    plan = Given(np.column_stack(list(found.values())))
    symbols = iter(coordinates(tuple(names), "the data", plan, batch))
    return tuple(_expression(name, array, symbols) for name, array in found.items())


def _names(name: str, array: np.ndarray) -> list[str]:
    """What the coordinates are called that a column makes: itself, or its components."""
    return [name] if array.ndim == 1 else [f"{name}[{k}]" for k in range(array.shape[1])]


def _expression(name: str, array: np.ndarray, symbols: Iterator[Expr]) -> Expr:
    if array.ndim == 1:
        return next(symbols)
    return functions.stack([next(symbols) for _ in range(array.shape[1])]).named(name)
