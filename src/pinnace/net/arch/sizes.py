"""Sizes of networks as users give them, checked where they are written."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnace._errors import FieldError


def check_sizes(network: str, **sizes: Any) -> None:
    """Raises FieldError for a size that is no whole number from 1 on; "scalar" counts as one output."""
    for name, size in sizes.items():
        if name == "out_size" and isinstance(size, str) and size == "scalar":
            continue
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise FieldError(f"{name} of {network} is an int from 1 on; got {size!r}.")


def number(network: str, name: str, value: Any, least: float = 0.0) -> float:
    """A finite number above `least`, or FieldError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > least):
        raise FieldError(f"{name} of {network} is a finite number above {least:g}; got {value!r}.")
    return float(value)


def scales_of(network: str, in_size: int, scale: Any) -> np.ndarray:
    """One positive number for all coordinates, or one for each, as one for each."""
    given = scale if isinstance(scale, Sequence) and not isinstance(scale, str) else [scale] * in_size
    if len(given) != in_size:
        raise FieldError(
            f"a scale of {network} is a number, or one for each of {in_size} coordinates; got {len(given)} numbers."
        )
    return np.array([number(network, "scale", one) for one in given])
