"""What cannot be trained is told before the first step: a `while` loop that trained parameters enter."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax.core import Tracer
from jax.extend import core as jex

from pinnace._errors import LoweringError


def check_reversible(net: Any, closed: jex.ClosedJaxpr) -> None:
    """Raise LoweringError where parameters of a field enter a `while` loop, which JAX cannot differentiate in reverse.

    The parameters are what the traced function of the points was closed over.
    """
    trained = {
        var
        for var, value in zip(closed.jaxpr.constvars, closed.consts, strict=True)
        if isinstance(value, Tracer) and jnp.issubdtype(value.dtype, jnp.inexact)
    }
    if _enters_while(closed.jaxpr, trained):
        raise LoweringError(
            f"the module of {net!r} puts trained parameters into a `while` loop of unknown length, which has no "
            f"gradient in JAX. Write it with a fixed number of turns: jax.lax.scan, or jax.lax.fori_loop with "
            f"constant bounds."
        )


def primitives(closed: jex.ClosedJaxpr | jex.Jaxpr) -> frozenset[str]:
    """The names of all primitives in a function, those inside others included."""
    jaxpr = closed.jaxpr if isinstance(closed, jex.ClosedJaxpr) else closed
    names = {equation.primitive.name for equation in jaxpr.eqns}
    return frozenset(names).union(*(primitives(inner) for equation in jaxpr.eqns for inner in _functions(equation)))


def _enters_while(jaxpr: Any, reached: set[Any]) -> bool:
    for equation in jaxpr.eqns:
        flags = [not isinstance(atom, jex.Literal) and atom in reached for atom in equation.invars]
        if not any(flags):
            continue
        if equation.primitive.name == "while" or any(_inside(inner, flags) for inner in _functions(equation)):
            return True
        reached.update(equation.outvars)
    return False


def _inside(inner: Any, flags: Sequence[bool]) -> bool:
    """The same for a function that an equation carries: it takes the last arguments (a cond's index comes first)."""
    offset = len(flags) - len(inner.invars)
    if offset < 0:
        return False
    return _enters_while(inner, {var for var, flag in zip(inner.invars, flags[offset:], strict=True) if flag})


def _functions(equation: Any) -> list[Any]:
    items = [item for value in equation.params.values() for item in (value if isinstance(value, tuple) else (value,))]
    closed = [item.jaxpr for item in items if isinstance(item, jex.ClosedJaxpr)]
    return closed + [item for item in items if isinstance(item, jex.Jaxpr)]
