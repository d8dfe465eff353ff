"""`pn.np`: the elementwise part of jax.numpy for expressions, constants, and what makes vectors of components.

Given numbers or arrays, the functions compute at once as NumPy (or JAX) does, so that an exact solution can be
written once for expressions and for arrays.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnace._errors import ExpressionError, did_you_mean
from pinnace.expr import calculus, summaries
from pinnace.expr.kinds import BINARY, UNARY
from pinnace.expr.node import Expr, as_expr, elementwise


class UnknownFunction(ExpressionError, AttributeError):
    """A function that `pn.np` does not have."""


class Functions:
    """The namespace `pn.np`.

    >>> import pinnace as pn
    >>> pn.np.sin(0.0)
    np.float64(0.0)
    """

    pi: float = np.pi
    e: float = np.e
    inf: float = np.inf

    laplacian = staticmethod(calculus.laplacian)
    grad = staticmethod(calculus.grad)
    div = staticmethod(calculus.div)
    curl = staticmethod(calculus.curl)
    hessian = staticmethod(calculus.hessian)

    relative_l2 = staticmethod(summaries.relative_l2)
    quantile = staticmethod(summaries.quantile)

    def __getattr__(self, name: str) -> Any:
        known = [word for word in dir(type(self)) if not word.startswith("_")]
        raise UnknownFunction(
            f"pn.np has no {name}.{did_you_mean(name, known)} Any JAX function of one point works through "
            f"pn.apply(f, ...)."
        )

    def where(self, condition: Any, then: Any, otherwise: Any) -> Any:
        """`then` where the condition holds, `otherwise` elsewhere."""
        if isinstance(condition, bool) and (isinstance(then, Expr) or isinstance(otherwise, Expr)):
            raise ExpressionError(
                f"the condition of where is {condition} already while the problem is written. Between expressions `<` "
                f"and `>` build conditions, but `==` asks whether both are the same expression: write "
                f"pn.np.equal(a, b)."
            )
        return _apply("where", condition, then, otherwise)

    def clip(self, value: Any, low: Any, high: Any) -> Any:
        """The value held between `low` and `high`."""
        return _apply("clip", value, low, high)

    def abs(self, value: Any) -> Any:
        """The absolute value."""
        return _apply("absolute", value)

    def stack(self, values: Sequence[Any], axis: int = 0) -> Any:
        """Numbers at a point as one vector, vectors as one matrix."""
        return _event("stack", values, axis=axis)

    def concatenate(self, values: Sequence[Any], axis: int = 0) -> Any:
        """Vectors at a point as one longer vector."""
        return _event("concatenate", values, axis=axis)

    def sum(self, value: Any, axis: int | None = None) -> Any:
        """Sum over the components at each point."""
        return _event("sum", value, axis=axis)

    def prod(self, value: Any, axis: int | None = None) -> Any:
        """Product over the components at each point."""
        return _event("prod", value, axis=axis)

    def mean(self, value: Any, axis: int | None = None) -> Any:
        """Mean over the components at each point."""
        return _event("mean", value, axis=axis)

    def norm(self, value: Any, axis: int | None = None) -> Any:
        """Euclidean norm of the components at each point."""
        return _event("norm", value, axis=axis)

    def dot(self, left: Any, right: Any) -> Any:
        """Inner product of two vectors at each point."""
        return _event("dot", left, right)

    def matmul(self, left: Any, right: Any) -> Any:
        """Matrix product of the components at each point."""
        return _event("matmul", left, right)

    def cross(self, left: Any, right: Any) -> Any:
        """Cross product of two vectors of 3 at each point."""
        return _event("cross", left, right)

    def transpose(self, value: Any) -> Any:
        """The components with their axes reversed."""
        return _event("transpose", value)


def _apply(name: str, *values: Any) -> Any:
    if any(isinstance(value, Expr) for value in values):
        return elementwise(name, *values)
    return getattr(_namespace(values), name)(*values)


def _event(name: str, *values: Any, **settings: Any) -> Any:
    together = isinstance(values[0], (list, tuple)) and len(values) == 1
    parts = list(values[0]) if together else list(map(_vector, values))
    if any(isinstance(part, Expr) for part in parts):
        return Expr("event", tuple(map(as_expr, parts)), (name, tuple(sorted(settings.items())), together))
    space = _namespace(parts)
    function = space.linalg.norm if name == "norm" else getattr(space, name)
    return function(*values, **settings)


def _vector(value: Any) -> Any:
    """A list of expressions, such as a normal, as the vector that it is; anything else as it is."""
    several = isinstance(value, (list, tuple)) and any(isinstance(part, Expr) for part in value)
    return _event("stack", value, axis=0) if several else value


def _namespace(values: Sequence[Any]) -> Any:
    """jax.numpy where an argument is a JAX array or tracer, told by the array API; else NumPy."""
    for value in values:
        if not isinstance(value, np.ndarray) and hasattr(value, "__array_namespace__"):
            return value.__array_namespace__()
    return np


def _function(name: str, count: int) -> Any:
    def unary(self: Functions, value: Any) -> Any:
        return _apply(name, value)

    def binary(self: Functions, left: Any, right: Any) -> Any:
        return _apply(name, left, right)

    function = unary if count == 1 else binary
    function.__name__ = name
    function.__qualname__ = f"Functions.{name}"
    function.__doc__ = f"`jax.numpy.{name}` of expressions, at each point."
    return function


for _name in UNARY:
    setattr(Functions, _name, _function(_name, 1))
for _name in BINARY:
    setattr(Functions, _name, _function(_name, 2))
