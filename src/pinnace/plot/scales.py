"""From values to colours and axes, whatever the values are."""

from typing import Any

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "*grid"]

DECADES = 4
"""How many powers of ten an error is shown over."""
TINY = 1e-16
"""The largest error where there is none."""


def finite(values: Values) -> Values:
    """The values that can be drawn, as a vector."""
    return values[np.isfinite(values)]


def colours(values: Values) -> dict[str, Any]:
    """Colours from low to high; where both signs occur, one for each sign and white for zero."""
    seen = finite(values)
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    most = max(-low, high)
    if min(-low, high) > 0.05 * most:
        return {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    return {"cmap": "viridis", "vmin": low, "vmax": high if high > low else low + 1}


def limits(values: Values) -> tuple[float, float]:
    """From where to where an axis shows all values, with some room."""
    seen = finite(values)
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def log_limits(values: Values) -> tuple[float, float]:
    """The same for a logarithmic axis and values above zero."""
    seen = finite(values)
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (TINY, TINY)
    return (0.7 * low, 1.4 * high) if high > low else (0.1 * low, 10 * high)


def above_zero(values: Values, decades: int = DECADES) -> Values:
    """Magnitudes that have a logarithm: nothing lower than so many powers of ten below the largest."""
    size = np.abs(values)
    return np.maximum(size, largest(size) / 10**decades)


def largest(values: Values) -> float:
    """The largest magnitude that is finite and not zero; a tiny one where there is none."""
    seen = finite(np.abs(values))
    return (float(seen.max()) if seen.size else 0.0) or TINY
