"""Any JAX function of one point, as an expression."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from pinnace._errors import FieldError
from pinnace.expr import Expr, as_expr, text
from pinnace.expr.text import function_name
from pinnace.net.field import REFUSED
from pinnace.optim import Trainable


def apply(function: Callable[..., Any], *arguments: Any) -> Expr:
    """Any JAX function of one point as an expression, differentiable as everything else.

    The function gets the values of the arguments at one point, each an array of the argument's shape, and returns
    one array. Its parameters, if it has any, are not trained: for that there is `pn.nn`. Raises FieldError where it
    fails on such shapes.

    >>> import jax
    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> print(pn.apply(jax.nn.softplus, x).d(x))
    d(softplus(x), x)
    """
    if not callable(function) or isinstance(function, (Expr, Trainable)):
        raise FieldError(f"pn.apply takes a function and the expressions to apply it to; got {function!r} first.")
    args = tuple(map(as_expr, arguments))
    points = [jax.ShapeDtypeStruct(arg.shape, jnp.result_type(float)) for arg in args]
    try:
        value = eqx.filter_eval_shape(function, *points)
    except REFUSED as wrong:
        inside = ", ".join(f"`{text(arg)}` of shape {arg.shape}" for arg in args)
        raise FieldError(f"`{function_name(function)}` fails on one point of {inside}: {wrong}") from wrong
    if not isinstance(value, jax.ShapeDtypeStruct):
        raise FieldError(f"`{function_name(function)}` returns {value}; an expression needs one array at each point.")
    return Expr("apply", args, (function, value.shape))
