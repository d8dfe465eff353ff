"""One primitive by JAX's own forward mode, nested: what holds for everything that has no rule of its own."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
from jax.extend import core as jex

from pinnace._errors import LoweringError
from pinnace.lower.jet import Jet, filled, scaled, total
from pinnace.lower.terms import Term


def function_of(equation: Any) -> Callable[..., list[Any]]:
    """The equation as a function of its arguments, with its own differentiation rule."""
    primitive = equation.primitive
    if any(map(_holds_function, equation.params.values())):
        return _evaluated(equation)

    def function(*given: Any) -> list[Any]:
        results = primitive.bind(*given, **equation.params)
        return results if primitive.multiple_results else [results]

    return function


def _holds_function(setting: Any) -> bool:
    inner = setting if isinstance(setting, tuple) else (setting,)
    return any(callable(item) or isinstance(item, (jex.Jaxpr, jex.ClosedJaxpr)) for item in inner)


def _evaluated(equation: Any) -> Callable[..., list[Any]]:
    """An equation that carries functions, evaluated as a jaxpr of its own."""
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
    """The jets of one equation by nested `jax.jvp`.

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
        Jet(value, {term: parts[k] for term, parts in results.items()} if is_real(value) else {})
        for k, value in enumerate(values(equation, fixed))
    ]


def is_real(value: Any) -> bool:
    """Whether an array can have derivatives at all."""
    return jnp.issubdtype(jnp.result_type(value), jnp.inexact)


def derivatives(function: Callable[..., Any], jets: Sequence[Jet], terms: Sequence[Term]) -> dict[Term, Any]:
    """The terms of `function(*jets)` by the chain rule: its k-th derivative along k terms is k nested `jax.jvp`."""
    primals = [jet.value for jet in jets]
    made: dict[tuple[Term, ...], Any] = {}

    def along(factors: tuple[Term, ...]) -> Any:
        if factors not in made:
            derivative = function
            for factor in factors:
                derivative = _directional(derivative, [_tangent(jet, factor) for jet in jets])
            made[factors] = derivative(*primals)
        return made[factors]

    found = {}
    for term in terms:
        summands = [
            [scaled(coefficient, result) for result in along(tuple(factors))]
            for coefficient, factors in term.chain_rule()
            if all(any(factor in jet.parts for jet in jets) for factor in factors)
        ]
        if summands:
            found[term] = [total(results) for results in zip(*summands, strict=True)]
    return found


def _tangent(jet: Jet, term: Term) -> Any:
    return jnp.asarray(filled(jet, term), jnp.result_type(jet.value))


def _directional(function: Callable[..., Any], direction: list[Any]) -> Callable[..., Any]:
    return lambda *primals: jax.jvp(function, primals, tuple(direction))[1]


def tower(function: Callable[[Any], Any], z: Any, order: int) -> list[Any]:
    """The derivatives h', h'', ... at z of a function that acts on each entry alone."""
    found, derivative = [], function
    for _ in range(order):
        derivative = _slope(derivative)
        found.append(derivative(z))
    return found


def _slope(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda z: jax.jvp(function, (z,), (jnp.ones_like(z),))[1]
