"""Networks that become expressions when they are called on coordinates."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from pinnace._errors import FieldError
from pinnace.expr import Expr, as_expr, text
from pinnace.net.arch import Separable
from pinnace.optim import Trainable

REFUSED = (TypeError, ValueError, IndexError, AssertionError)
"""What a module raises when it is given a point of the wrong size."""


def dtype_of(module: Any) -> Any:
    """The precision that all real parameters of a module have; None where they differ."""
    leaves = [leaf.dtype for leaf in jax.tree.leaves(module) if eqx.is_inexact_array(leaf)]
    found = {dtype for dtype in leaves if jnp.issubdtype(dtype, jnp.floating)}
    return found.pop() if len(found) == 1 else None


class Net(Trainable):
    """A network: `net(x, t)` is the expression of its value at the point (x, t)."""

    def __init__(self, module: Any, name: str | None = None) -> None:
        if not (callable(module) and any(map(eqx.is_array, jax.tree.leaves(module)))):
            raise FieldError(
                f"pn.nn takes an Equinox module with parameters, called on one point; got {module!r}. "
                f"A plain function becomes an expression by pn.apply(f, ...)."
            )
        super().__init__(module, name)
        self._calls: dict[int, tuple[str, tuple[int, ...]]] = {}

    def __call__(self, *arguments: Any) -> Expr:
        """The network at a point given by coordinates, expressions or numbers, concatenated in this order."""
        if not arguments:
            raise FieldError(f"{self!r} is called on coordinates, expressions or numbers: for example `net(x, t)`.")
        args = tuple(map(as_expr, arguments))
        for arg in args:
            if len(arg.shape) > 1:
                raise FieldError(f"a point is made of numbers and vectors; `{text(arg)}` has shape {arg.shape}.")
        size = sum(arg.shape[0] if arg.shape else 1 for arg in args)
        call, shape = self._signature(size, args)
        return Expr("field", args, (self, shape, call))

    def _signature(self, size: int, args: tuple[Expr, ...]) -> tuple[str, tuple[int, ...]]:
        """How the module is called, on a vector, a bare number or axis by axis, and the shape of its value."""
        if size not in self._calls:
            several = "separable" if isinstance(self.module, Separable) else "vector"
            tried = [((size,), several)] + [((), "number")] * (size == 1)
            reasons = []
            for shape, call in tried:
                found = _evaluate(self.module, shape)
                if not isinstance(found, str):
                    self._calls[size] = (call, found)
                    break
                reasons.append(found)
            else:
                raise FieldError(self._misfit(size, args, reasons[0]))
        return self._calls[size]

    def _misfit(self, size: int, args: tuple[Expr, ...], reason: str) -> str:
        fits = [k for k in range(1, 13) if not isinstance(_evaluate(self.module, (k,)), str)]
        if not fits and not isinstance(_evaluate(self.module, ()), str):
            fits = [1]
        inside = ", ".join(map(text, args))
        numbers = f"{size} number{'s' * (size > 1)}"
        if fits:
            wanted = " or ".join(map(str, fits[:3])) + f" number{'s' * (fits[0] > 1)}"
            return f"`{self.name or 'net'}({inside})` gives its module a point of {numbers}, and it wants {wanted}."
        return (
            f"`{self.name or 'net'}({inside})` gives its module a point of {numbers} as one vector, and the module "
            f"refuses it: {reason}"
        )


def nn(module: Any, name: str | None = None) -> Net:
    """A field from any Equinox module that is called on one point: `u = pn.nn(module)(x, t)`.

    The module gets a vector `[d]` of the arguments (a number, where it wants a scalar) and returns a number or a
    vector; a vector unpacks: `u, v, p = net(x, y)`. Names default to u, u2, ... Raises FieldError where the module
    does not fit the point.

    >>> import equinox as eqx, jax
    >>> import pinnace as pn
    >>> x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", 10)
    >>> net = pn.nn(eqx.nn.MLP(2, "scalar", 8, 2, key=jax.random.key(0)))
    >>> print(net(x, t).d(t) + net(x, t).dd(x))
    d(u, t) + d(u, x, x)
    """
    return Net(module, name)


def _evaluate(module: Any, shape: tuple[int, ...]) -> tuple[int, ...] | str:
    """The shape of the value at one point, or why there is none."""
    point = jax.ShapeDtypeStruct(shape, dtype_of(module) or jnp.result_type(float))
    try:
        value = eqx.filter_eval_shape(module, point)
    except REFUSED as wrong:
        return f"{type(wrong).__name__}: {str(wrong).splitlines()[0] if str(wrong) else ''}"
    if not isinstance(value, jax.ShapeDtypeStruct) or not jnp.issubdtype(value.dtype, jnp.floating):
        return f"it returns {value}, and a field returns one array of real numbers."
    return value.shape
