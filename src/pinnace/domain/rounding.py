"""Rounding: points that stay inside although their precision cannot hold the bounds, and tolerances."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from pinnace._errors import DomainError
from pinnace.domain.arrays import namespace

OFFSET = 64
"""Rounding errors by which the two sides of a surface are looked at."""
TOGETHER = 32
"""Rounding errors within which two surfaces are one."""
INSET = 8
"""Rounding errors that points inside a shape keep away from its surface; a point in the plane takes less than 4."""
INSIDE = 16
"""Rounding errors that points of a combination keep away from its surfaces."""


def inward(low: Any, high: Any, dtype: DTypeLike) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of a precision next to the bounds that are not outside them.

    Raises DomainError where the precision has no two numbers between the bounds.

    >>> import numpy as np
    >>> low, high = inward(0.1, 0.3, np.float32)
    >>> 0.1 <= float(low) and float(high) <= 0.3
    True
    """
    exact = np.asarray(low, np.float64), np.asarray(high, np.float64)
    with np.errstate(over="ignore"):
        start, stop = (bound.astype(dtype) for bound in exact)
    held = np.isfinite(start) & np.isfinite(stop)
    start = np.where(start < exact[0], np.nextafter(start, stop), start)
    stop = np.where(stop > exact[1], np.nextafter(stop, start), stop)
    if not np.all(held & (start < stop)):
        first, last = (bound.flat[np.argmin(held & (start < stop))].item() for bound in exact)
        raise DomainError(
            f"there are no two {jnp.dtype(dtype).name} numbers between {first!r} and {last!r}. Move or scale "
            f'this axis, or compute in float64: jax.config.update("jax_enable_x64", True).'
        )
    return start, stop


def between(low: Any, high: Any, unit: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Numbers in [0, 1] as numbers in [low, high], never outside."""
    start, stop = inward(low, high, unit.dtype)
    return namespace(unit).clip(start * (1 - unit) + stop * unit, start, stop)


def rounding(scale: float, dtype: DTypeLike) -> float:
    """The rounding error of numbers of that size."""
    return float(jnp.finfo(dtype).eps) * scale


def margin(shape: Any, size: float, dtype: DTypeLike) -> float:
    """How far points inside a shape keep away from its surface, so that rounding takes none of them out.

    `size` is the width that there is for it. Raises DomainError where that is a matter of a few numbers.
    """
    inset = (INSET + shape.dim) * rounding(shape.scale, dtype)
    if inset > size / 100:
        raise DomainError(
            f"{shape!r} is too small, so far from the origin, for {jnp.dtype(dtype).name} numbers. Move the "
            f'origin, or compute in float64: jax.config.update("jax_enable_x64", True).'
        )
    return inset
