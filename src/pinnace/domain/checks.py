"""Numbers and names as users give them, checked where they are written."""

import math
import numbers
import operator
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from pinnace._errors import DomainError


def real(value: Any, what: str) -> float:
    """A finite number as a float. `what` starts the sentence of the error."""
    zero_dim = isinstance(value, (np.ndarray, jax.Array)) and value.ndim == 0 and value.dtype.kind in "iuf"
    if isinstance(value, bool) or not (zero_dim or isinstance(value, numbers.Real)):
        raise DomainError(f"{what} is a number; got {value!r}.")
    if not math.isfinite(value):
        raise DomainError(
            f"{what} is a finite number; got {value!r}. Cut the domain where the solution no longer changes, "
            f"or map it to a bounded one."
        )
    return float(value)


def positive(value: Any, name: str, written: str) -> float:
    """A finite number above 0."""
    size = real(value, f"the {name} in {written}")
    if size <= 0:
        kind = written.partition("(")[0]
        raise DomainError(f"the {name} in {written} is not positive: {article(kind)} needs {name} > 0.")
    return size


def place(values: Any, what: str, written: str) -> tuple[float, ...]:
    """Coordinates of a point: one finite number an axis."""
    if not (isinstance(values, (tuple, list, np.ndarray, jax.Array)) and len(np.shape(values)) == 1 and len(values)):
        raise DomainError(f"{what} in {written} takes one number an axis, for example (0, 0, 0); got {values!r}.")
    return tuple(real(value, f"{what} in {written}") for value in values)


def article(noun: str) -> str:
    """A noun with its article.

    >>> article("disk"), article("annulus")
    ('a disk', 'an annulus')
    """
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"


def written_place(values: Sequence[float]) -> str:
    """Coordinates as they are written."""
    return f"({', '.join(map(short, values))}{',' * (len(values) == 1)})"


def span_of(low: Any, high: Any, written: str, names: tuple[str, str]) -> tuple[float, float]:
    """Two bounds in order. `written` is the user's call, `names` those of its two bounds."""
    start, stop = real(low, f"{names[0]} in {written}"), real(high, f"{names[1]} in {written}")
    if start == stop:
        raise DomainError(f"{written} is empty: it needs {names[0]} < {names[1]}, and both are {low!r}.")
    if start > stop:
        raise DomainError(f"{written} is reversed: it needs {names[0]} < {names[1]}. Swap the two.")
    real(stop - start, f"the length of {written}")
    return start, stop


def count(value: Any, what: str) -> int:
    """A whole number, 1 or more."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1:
        return operator.index(value)
    whole = isinstance(value, float) and value >= 1 and value.is_integer()
    instead = f" Write {int(value)}." if whole else ""
    raise DomainError(f"{what} is a whole number, 1 or more; got {value!r}.{instead}")


def axis_names(names: Sequence[str] | None, dim: int) -> tuple[str, ...]:
    """Names of the axes of space: those given, else x; x, y; x, y, z; x1, x2, ... above three."""
    if names is None:
        return ("x", "y", "z")[:dim] if dim <= 3 else tuple(f"x{k}" for k in range(1, dim + 1))
    given = (names,) if isinstance(names, str) else tuple(names)
    if not all(isinstance(name, str) and name.strip() for name in given) or len(given) != dim:
        raise DomainError(f"names= takes {dim} text{'s' * (dim > 1)}, one an axis; got {names!r}.")
    different(given)
    return given


def different(names: tuple[str, ...]) -> None:
    """Raises DomainError where two axes have one name."""
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DomainError(
            f'two axes are called "{twice[0]}". Give them different names: names= for space, name= in '
            f".time(t0, t1, name=...) for time."
        )


def short(value: float) -> str:
    """A number as a reader writes it.

    >>> short(-1.0), short(0.25)
    ('-1', '0.25')
    """
    return f"{value:g}"
