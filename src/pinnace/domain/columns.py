"""Columns of numbers, as users have them: lists, arrays, Series, tables."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from pinnace._errors import DomainError

EXAMPLE = 'data(x=[...], u_seen=[...]), or a table of named columns, data(frame[["x", "u_seen"]])'


def columns_of(table: Any, named: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a table, if there is one, and those given by name.

    Raises DomainError for what is no table of named columns, and for names that are no texts or given twice.
    """
    pairs = [*_pairs(table), *named.items()]
    names = [name for name, _ in pairs]
    for name in names:
        if not (isinstance(name, str) and name.strip()):
            raise DomainError(f"the columns of data have names, which are texts; got {name!r}. Rename it.")
        if names.count(name) > 1:
            raise DomainError(f'two columns of data are called "{name}". Rename or leave out one of them.')
    return dict(pairs)


def _pairs(table: Any) -> list[tuple[Any, Any]]:
    if table is None:
        return []
    if isinstance(table, np.ndarray):
        names = table.dtype.names
        if names is None:
            raise DomainError(
                f"an array has no names for its columns; got one of shape {table.shape}. Name them: "
                f"data(x=table[:, 0], u_seen=table[:, 1])."
            )
        return [(name, table[name]) for name in names]
    if isinstance(table, Mapping):
        return list(table.items())
    try:
        names = list(table.columns)
    except AttributeError:
        raise DomainError(f"data takes columns, {EXAMPLE}; got {type(table).__name__}.") from None
    for name in names:
        if names.count(name) > 1:
            raise DomainError(f"two columns of data are called {name!r}. Rename or leave out one of them.")
    return [(name, table[name]) for name in names]


def numbers(name: str, column: Any) -> np.ndarray:
    """A column as an array of floats, `[n]` or `[n, k]`.

    Raises DomainError, which names the column and the row, for what is no finite number.
    """
    if isinstance(column, np.ma.MaskedArray):
        column = np.ma.filled(column.astype(float), np.nan)
    try:
        array = np.asarray(column)
    except ValueError as wrong:
        raise DomainError(f"{name} is no column of numbers: {wrong}.") from None
    if array.ndim == 0 or array.ndim > 2:
        raise DomainError(
            f"data takes columns of equal length, one number or vector for each measurement; {name} has shape "
            f"{array.shape}."
        )
    if array.ndim == 2 and array.shape[1] < 2:
        raise DomainError(
            f"data takes columns of equal length; {name} has shape {array.shape}, a table of one column: give that "
            f"column, {name}=...[:, 0]."
        )
    return _finite(name, _floats(name, array))


def _floats(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "mM":
        raise DomainError(
            f"{name} holds times of type {array.dtype}: give numbers, for example the seconds since the first, "
            f"({name} - {name}[0]) / np.timedelta64(1, 's')."
        )
    if array.dtype.kind in "OUSTc":
        for place in np.ndindex(array.shape):
            if not _real(array[place]):
                raise DomainError(
                    f"{name}{_shown(place)} is {array[place]!r}, and data are real numbers: leave out the rows that "
                    f"were not measured, and columns of other things."
                )
    try:
        return array.astype(float)
    except (TypeError, ValueError) as wrong:
        raise DomainError(f"{name} is no column of numbers: {wrong}.") from None


def _real(value: Any) -> bool:
    if isinstance(value, str | bytes | complex):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    for place in np.argwhere(~np.isfinite(array))[:1]:
        raise DomainError(f"{name}{_shown(place)} is {array[tuple(place)]}: leave out the rows that were not measured.")
    real = jnp.result_type(float)
    for place in np.argwhere(np.abs(array) > float(jnp.finfo(real).max))[:1]:
        raise DomainError(f"{name}{_shown(place)} is {array[tuple(place)]}, more than {real} can hold: scale {name}.")
    return array


def _shown(place: Any) -> str:
    return f"[{', '.join(map(str, place))}]"
