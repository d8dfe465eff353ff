"""Points that stay inside although their precision cannot hold the bounds."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from pinnace._errors import DomainError


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
    return jnp.clip(start * (1 - unit) + stop * unit, start, stop)
