"""One primitive by JAX's own forward mode, nested: what holds for everything that has no rule of its own."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
from jax.extend import core as jex

from pinnace._errors import LoweringError
from pinnace.lower.jet import Jet
from pinnace.lower.terms import Term


def function_of(equation: Any) -> Callable[..., list[Any]]:
    """The equation as a function of its arguments, with its own differentiation rule."""
    names = [None if isinstance(atom, jex.Literal) else atom for atom in equation.invars]
    distinct = [name for name in dict.fromkeys(names) if name is not None]
    alone = jex.Jaxpr((), distinct, equation.outvars, [equation], equation.effects, _debug_info())

    def function(*given: Any) -> list[Any]:
        by_name = dict(zip(names, given, strict=True))
        return jax.core.eval_jaxpr(alone, (), *(by_name[name] for name in distinct))

    return function


@cache
def _debug_info() -> Any:
    """A jaxpr must say where it comes from; those made here come from nowhere in the user's code."""
    return jax.make_jaxpr(lambda: ())().jaxpr.debug_info


def values(equation: Any, arguments: Sequence[Any]) -> list[Any]:
    """The values alone."""
    return function_of(equation)(*arguments)


def rule(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """The jets of one equation by nested `jax.jvp`: the derivative of all terms below a term, along one direction.

    Raises LoweringError, with the primitive's name, where JAX cannot differentiate it forwards.
    """
    moving = [k for k, jet in enumerate(arguments) if jet.parts]
    function = function_of(equation)
    fixed = [jet.value for jet in arguments]

    def of_moving(*moved: Any) -> list[Any]:
        given = list(fixed)
        for k, value in zip(moving, moved, strict=True):
            given[k] = value
        return function(*given)

    try:
        results = derivatives(of_moving, [arguments[k] for k in moving], terms)
    except (NotImplementedError, TypeError, ValueError) as wrong:
        raise LoweringError(
            f"the primitive `{equation.primitive.name}` has no forward derivative in JAX, so a field that uses it "
            f"cannot be differentiated by coordinates: {wrong}"
        ) from wrong
    return [
        Jet(value, {term: results[term][k] for term in terms} if is_real(value) else {})
        for k, value in enumerate(values(equation, fixed))
    ]


def is_real(value: Any) -> bool:
    """Whether an array can have derivatives at all."""
    return jnp.issubdtype(jnp.result_type(value), jnp.inexact)


def derivatives(function: Callable[..., Any], jets: Sequence[Jet], terms: Sequence[Term]) -> dict[Term, Any]:
    """The terms of `function(*jets)`: each by one more `jax.jvp` of the function that gives the term below it.

    That function takes all terms of the arguments up to its own; the tangent of each is the term one derivative
    further along the direction.
    """
    made: dict[Term, Callable[[dict[Term, list[Any]]], Any]] = {}

    def of(term: Term) -> Callable[[dict[Term, list[Any]]], Any]:
        if term not in made:
            peeled = term.peel()
            made[term] = (lambda given: function(*given[term])) if peeled is None else along(*peeled)
        return made[term]

    def along(axis: int, lower: Any) -> Callable[[dict[Term, list[Any]]], Any]:
        inner, needed = of(lower), list(lower.below())

        def derivative(given: dict[Term, list[Any]]) -> Any:
            primals = {below: given[below] for below in needed}
            tangents = {below: given[below.shift(axis)] for below in needed}
            return jax.jvp(inner, (primals,), (tangents,))[1]

        return derivative

    def filled(jet: Jet, term: Term) -> Any:
        found = jet.term(term)
        return jnp.zeros_like(jet.value) if found is None else jnp.asarray(found, jnp.result_type(jet.value))

    found = {}
    for term in terms:
        given = {below: [filled(jet, below) for jet in jets] for below in term.below()}
        found[term] = of(term)(given)
    return found


def tower(function: Callable[[Any], Any], z: Any, order: int) -> list[Any]:
    """The derivatives h', h'', ... at z of a function that acts on each entry alone."""
    found, derivative = [], function
    for _ in range(order):
        derivative = _slope(derivative)
        found.append(derivative(z))
    return found


def _slope(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda z: jax.jvp(function, (z,), (jnp.ones_like(z),))[1]
