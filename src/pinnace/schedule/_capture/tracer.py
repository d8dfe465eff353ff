"""Stand-ins for values of the step: they compute like arrays, and answer `if` from a script."""

from collections.abc import Callable, Iterator
from numbers import Number
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Trace, Tracer
from jax.extend.core import set_current_trace
from jaxtyping import Array, Bool

from pinnace._errors import ScheduleError
from pinnace.schedule._capture.blame import needs_the_number
from pinnace.schedule._capture.numpy_calls import array_function, ufunc


class PathTrace(Trace):
    """Computes on the trace around it, and keeps results in stand-ins of its own."""

    def __init__(self, parent: Trace, ask: Callable[[Bool[Array, ""]], bool]) -> None:
        super().__init__()
        self.parent = parent
        self.ask = ask

    def value_of(self, x: Any) -> Any:
        """What a stand-in of this path stands for."""
        return x.value if isinstance(x, Captured) and x.path is self else x

    def _bind(self, primitive: Any, tracers: Any, parameters: dict[str, Any]) -> Any:
        with set_current_trace(self.parent):
            out = primitive.bind(*map(self.value_of, tracers), **parameters)
        return [Captured(self, x) for x in out] if primitive.multiple_results else Captured(self, out)

    def stage_value(self, val: Any) -> Any:
        return Captured(self, self.parent.stage_value(self.value_of(val)))

    def process_primitive(self, primitive: Any, tracers: Any, params: dict[str, Any], /) -> Any:
        return self._bind(primitive, tracers, params)

    def process_call(self, call_primitive: Any, f: Any, tracers: Any, params: Any, /) -> Any:
        with set_current_trace(self):
            return f.call_wrapped(*tracers)

    def process_custom_jvp_call(self, primitive: Any, fun: Any, jvp: Any, tracers: Any, /, **parameters: Any) -> Any:
        return self._bind(primitive, tracers, {"subfuns": (fun, jvp), **parameters})

    def process_custom_vjp_call(
        self, primitive: Any, fun: Any, fwd: Any, bwd: Any, tracers: Any, /, **parameters: Any
    ) -> Any:
        return self._bind(primitive, tracers, {"subfuns": (fun, fwd, bwd), **parameters})


class Captured(Tracer):
    """One array of the step, as the function sees it."""

    __slots__ = ("answer", "path", "value")

    def __init__(self, trace: PathTrace, value: Any) -> None:
        super().__init__(trace, jax.typeof(value))
        self.path = trace
        self.value = value
        self.answer: bool | None = None

    def __bool__(self) -> bool:
        if self.shape != ():
            raise ScheduleError(
                f"An array of shape {self.shape} is neither true nor false. Write jnp.all(x) or jnp.any(x)."
            )
        if self.answer is None:
            with set_current_trace(self.path.parent):
                condition = self.value if self.dtype == bool else self.value != 0
            self.answer = self.path.ask(condition)
        return bool(self.answer)

    def __getitem__(self, index: Any) -> Any:
        for axis, i in enumerate(index if isinstance(index, tuple) else (index,)):
            if i is Ellipsis or i is None or axis >= self.ndim:
                break
            if isinstance(i, int) and not -self.shape[axis] <= i < self.shape[axis]:
                raise self._out_of_range(i, self.shape[axis])
        return super().__getitem__(index)

    def _out_of_range(self, index: int, size: int) -> ScheduleError:
        return ScheduleError(f"Index {index} is out of range: there are {size} values, from 0 to {size - 1}.")

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __pow__(self, other: Any) -> Any:
        return jnp.power(_inexact(self), other)

    def __rpow__(self, other: Any) -> Any:
        return jnp.power(_inexact(other), self)

    def __truediv__(self, other: Any) -> Any:
        return super().__truediv__(_exact_divisor(self, other) if isinstance(other, Number) else other)

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return ufunc(function, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        return array_function(function, inputs, options)

    def __floor__(self) -> Any:
        return jnp.floor(self).astype(int)

    def __ceil__(self) -> Any:
        return jnp.ceil(self).astype(int)

    def __trunc__(self) -> Any:
        return jnp.trunc(self).astype(int)

    def __float__(self) -> float:
        raise needs_the_number(
            "float(x) and functions of math",
            "x itself for float(x), jnp.exp(x) for math.exp(x), and likewise for the other functions of math",
        )

    def __int__(self) -> int:
        raise needs_the_number("int(x)", "x // n for int(x / n), or jnp.trunc(x).astype(int)")

    def __complex__(self) -> complex:
        raise needs_the_number("complex(x)", "x itself: a rate is real")

    def __index__(self) -> int:
        raise needs_the_number(
            "an index or a range",
            "jnp.asarray(values)[i] for values[i], and jax.lax.fori_loop for a loop over range(n)",
        )

    def __hash__(self) -> int:
        raise needs_the_number(
            "looking up in a dict or set",
            "jnp.asarray(values)[i] for a dict of numbers, (10, 20) for the set {10, 20}, or an `if`",
        )

    def __format__(self, spec: str) -> str:
        raise needs_the_number("formatting as text", 'jax.debug.print("{}", x) to see a value at each step')

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise needs_the_number(
            "a NumPy array",
            "jnp.asarray(values)[i] for values[i], or jnp.stack([a, b]) for a list of such values",
        )

    def item(self, *arguments: Any) -> Any:
        raise needs_the_number("x.item()", "x itself")

    def tolist(self) -> Any:
        raise needs_the_number("x.tolist()", "x itself, or [*x] for a list of its elements")


def _inexact(x: Any) -> Any:
    """Python's integer powers are exact, or fractions for negative exponents; those of int32 are neither."""
    return x if jnp.issubdtype(jnp.result_type(x), jnp.inexact) else jnp.asarray(x, jnp.result_type(float))


def _exact_divisor(x: Captured, divisor: Any) -> Any:
    """A constant that XLA does not see as one.

    It would multiply by the reciprocal, and 41 / 41 be less than 1. The `where` is for vmap, which
    otherwise broadcasts a constant.
    """
    dtype = jnp.result_type(x, divisor, 1.0)
    if not jnp.issubdtype(dtype, jnp.floating):
        return divisor
    return lax.optimization_barrier(jnp.where(x == x, jnp.asarray(divisor, dtype), x.astype(dtype)))
