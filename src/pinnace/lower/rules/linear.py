"""Primitives that are linear in some arguments jointly, and those that are bilinear."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from pinnace.lower.jet import Jet, filled, leibniz, total
from pinnace.lower.rules import nested
from pinnace.lower.terms import Term

Rule = Callable[[Any, list[Jet], Sequence[Term]], list[Jet]]

UNARY = (
    "neg reduce_sum reshape transpose squeeze expand_dims broadcast_in_dim rev cumsum copy copy_p real imag "
    "reduce_window_sum convert_element_type reduce_precision device_put sharding_constraint name conj"
).split()
"""Linear in their first argument; further ones are shapes."""

JOINT: dict[str, Callable[[int], range]] = {
    "pad": lambda n: range(2),
    "dynamic_slice": lambda n: range(1),
    "dynamic_update_slice": lambda n: range(2),
    "gather": lambda n: range(1),
    "scatter": lambda n: range(0, 3, 2),
    "scatter_add": lambda n: range(0, 3, 2),
    "scatter-add": lambda n: range(0, 3, 2),
    "select_n": lambda n: range(1, n),
}
"""Linear in the arguments at these places together, given the others (indices, predicates)."""


def unary(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """The same primitive on each term."""
    apply = nested.function_of(equation)
    first, rest = arguments[0], [jet.value for jet in arguments[1:]]
    if any(jet.parts for jet in arguments[1:]):
        return nested.rule(equation, arguments, terms)
    value = apply(first.value, *rest)[0]
    if not nested.is_real(value):
        return [Jet(value)]
    return [Jet(value, {term: apply(first.parts[term], *rest)[0] for term in terms if term in first.parts})]


def joint(places: Callable[[int], range]) -> Rule:
    """The same primitive on each term, zeros for arguments that lack it."""

    def rule(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
        linear = places(len(arguments))
        if any(jet.parts for k, jet in enumerate(arguments) if k not in linear):
            return nested.rule(equation, arguments, terms)
        apply = nested.function_of(equation)
        fixed = [jet.value for jet in arguments]
        value = apply(*fixed)[0]
        parts = {}
        for term in terms if nested.is_real(value) else ():
            if any(term in arguments[k].parts for k in linear):
                given = [filled(jet, term) if k in linear else jet.value for k, jet in enumerate(arguments)]
                parts[term] = apply(*given)[0]
        return [Jet(value, parts)]

    return rule


def add(sign: int) -> Rule:
    """Sums and differences; what is missing on one side costs nothing."""

    def rule(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
        left, right = arguments
        value = nested.values(equation, [left.value, right.value])[0]
        parts = {}
        for term in terms:
            a, b = left.parts.get(term), right.parts.get(term)
            summand = total([part for part in (a, b if b is None or sign > 0 else -b) if part is not None])
            if summand is not None:
                parts[term] = jnp.broadcast_to(summand, value.shape)
        return [Jet(value, parts)]

    return rule


def bilinear(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Products: Leibniz over the terms of both factors."""
    apply = nested.function_of(equation)
    left, right = arguments
    value = apply(left.value, right.value)[0]
    return [Jet(value, leibniz(lambda a, b: apply(a, b)[0], left, right, terms))]


def multiply(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Elementwise products, whose factors may be smaller than the result."""
    left, right = arguments
    value = nested.values(equation, [left.value, right.value])[0]
    parts = leibniz(lambda a, b: a * b, left, right, terms)
    return [Jet(value, {term: jnp.broadcast_to(part, value.shape) for term, part in parts.items()})]


def divide(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Quotients q = a / b from a = q b: each term of q from the lower ones."""
    top, bottom = arguments
    value = nested.values(equation, [top.value, bottom.value])[0]
    quotient = Jet(value, {})
    for term in terms:
        known = leibniz(lambda q, b: q * b, quotient, bottom, (term,)).get(term)
        summands = (top.parts.get(term), None if known is None else -known)
        numerator = total([part for part in summands if part is not None])
        if numerator is not None:
            quotient.parts[term] = jnp.broadcast_to(numerator / bottom.value, value.shape)
    return [quotient]


def flat(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Values without derivatives: steps, comparisons, what is held on purpose."""
    return [Jet(value) for value in nested.values(equation, [jet.value for jet in arguments])]


FLAT = (
    "stop_gradient sign floor ceil round eq ne lt le gt ge and or not xor is_finite argmax argmin iota "
    "shift_left shift_right_logical shift_right_arithmetic population_count nextafter reduce_and reduce_or"
).split()

LINEAR: dict[str, Rule] = {
    **dict.fromkeys(UNARY, unary),
    **{name: joint(places) for name, places in JOINT.items()},
    **dict.fromkeys(FLAT, flat),
    "add": add(1),
    "add_any": add(1),
    "sub": add(-1),
    "mul": multiply,
    "conv_general_dilated": bilinear,
    "div": divide,
}
