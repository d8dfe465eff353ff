"""NumPy's functions of stand-ins are those of the same name in `jax.numpy`."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from pinnace._errors import ScheduleError


def ufunc(function: np.ufunc, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """Elementwise functions, and their reductions."""
    if "out" in options:
        raise ScheduleError(
            f"np.{function.__name__}(out=...) writes into an array, and values inside the step cannot be "
            f"written. Write x = jnp.{function.__name__}(...)."
        )
    twin = _twin(function)
    return (twin if method == "__call__" else getattr(twin, method))(*map(_as_array, inputs), **options)


def array_function(function: Callable[..., Any], inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """All other functions of NumPy."""
    return _twin(function)(*map(_as_array, inputs), **options)


def _twin(function: Any) -> Callable[..., Any]:
    name = function.__name__
    if isinstance(function, np.ufunc) or function.__module__ == "numpy":
        space = jnp
    elif function.__module__ == "numpy.linalg":
        space = jnp.linalg
    else:
        space = None
    if space is None or name not in dir(space):
        raise ScheduleError(
            f"np.{name} has no counterpart in jax.numpy, so it cannot be part of a rate. Write it with "
            "functions of jnp."
        )
    return getattr(space, name)


def _as_array(argument: Any) -> Any:
    """Lists of numbers, which jax.numpy does not take."""
    numbers = isinstance(argument, list) and all(isinstance(x, int | float) for x in argument)
    return np.asarray(argument) if numbers else argument
