"""The precision of all matrix products of a function."""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core as jex

from pinnace.lower.rules import nested

Function = TypeVar("Function", bound=Callable[..., Any])

NARROW = "bfloat16"


def in_precision(precision: str | None) -> Callable[[Function], Function]:
    """A function, to be traced, with its matrix products in a precision that JAX knows by this name.

    "bfloat16" is more than JAX's hint of that name: both factors of every product of real matrices are rounded to
    bfloat16, backward pass included, and summed up in float32, on all devices.
    """
    if precision is None:
        return lambda function: function

    def decorate(function: Any) -> Any:
        @wraps(function)
        def run(*args: Any) -> Any:
            if precision != NARROW:
                with jax.default_matmul_precision(precision):
                    return function(*args)
            traced, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
            return jax.tree.unflatten(jax.tree.structure(shapes), _narrow(traced, *jax.tree.leaves(args)))

        return run

    return decorate


def _narrow(closed: jex.ClosedJaxpr, *args: Any) -> list[Any]:
    """What a jaxpr computes, with narrow factors; differentiation is over by now, and all products are there."""
    known: dict[Any, Any] = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    known.update(zip(closed.jaxpr.invars, args, strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, jex.Literal) else known[atom]

    for equation in closed.jaxpr.eqns:
        found = _equation(equation, [read(atom) for atom in equation.invars])
        known.update(zip(equation.outvars, found, strict=True))
    return [read(atom) for atom in closed.jaxpr.outvars]


def _equation(equation: Any, values: Sequence[Any]) -> Sequence[Any]:
    params = equation.params
    if equation.primitive.name == "dot_general" and _is_real(equation.outvars[0].aval.dtype):
        settings = {**params, "precision": None, "preferred_element_type": jnp.dtype(jnp.float32)}
        product = partial(equation.primitive.bind, **settings)
        found = lax.platform_dependent(
            *(jnp.asarray(value).astype(jnp.float32) for value in values),
            # a CPU has no such product: the same factors, as float32 holds them
            cpu=lambda *factors: product(*(lax.reduce_precision(factor, 8, 7) for factor in factors)),
            default=lambda *factors: product(*(factor.astype(jnp.bfloat16) for factor in factors)),
        )
        return [found.astype(equation.outvars[0].aval.dtype)]
    changed = equation.replace(params={name: _inside(value) for name, value in params.items()})
    return nested.function_of(changed)(*values)


def _inside(value: Any) -> Any:
    """A parameter of an equation; the functions in it with narrow factors too."""
    match value:
        case jex.ClosedJaxpr():
            return jax.make_jaxpr(partial(_narrow, value))(*value.in_avals)
        case jex.Jaxpr() if not value.constvars:
            return jax.make_jaxpr(partial(_narrow, jex.ClosedJaxpr(value, ())))(*(v.aval for v in value.invars)).jaxpr
        case tuple() if any(isinstance(part, jex.ClosedJaxpr) for part in value):
            return tuple(map(_inside, value))
    return value


def _is_real(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jnp.floating)
