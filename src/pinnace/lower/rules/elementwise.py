"""Elementwise functions by Faa di Bruno: each from its tower of derivatives, computed once and shared.

A tower is the list h', h'', ... up to the order asked for; None stands for a derivative that vanishes everywhere.
Towers of functions that solve a differential equation follow from it by Leibniz.
"""

from collections.abc import Callable, Sequence
from math import comb, pi, prod, sqrt
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from pinnace.lower.jet import Jet, compose, scaled
from pinnace.lower.rules import nested
from pinnace.lower.terms import Term

Tower = Callable[[Array, Array, int, dict], list[Any]]
"""(argument, value, order, parameters of the primitive) -> derivatives."""


def _square_rule(slope: Callable[[Array], Array], linear: int, quadratic: int) -> Tower:
    """h' = slope(h) = const + linear h + quadratic h^2, differentiated on and on."""

    def tower(z: Array, h: Array, order: int, params: dict) -> list[Any]:
        found: list[Any] = [h, slope(h)]
        for n in range(1, order):
            products = [2 * comb(n, k) * found[k] * found[n - k] for k in range((n + 1) // 2)]
            middle = [comb(n, n // 2) * found[n // 2] ** 2] if n % 2 == 0 else []
            pair = sum(products[1:] + middle, start=(products + middle)[0])
            found.append(scaled(quadratic, pair) + linear * found[n] if linear else scaled(quadratic, pair))
        return found[1:]

    return tower


def _cycle(*functions: Callable[[Array, Array], Array]) -> Tower:
    """Derivatives that repeat, each from (argument, value)."""
    return lambda z, h, order, params: [functions[n % len(functions)](z, h) for n in range(order)]


def _power_law(z: Array, start: Any, exponent: float, order: int) -> list[Any]:
    """Derivatives of c z^exponent, from the first, `start`."""
    found = [start]
    for n in range(1, order):
        found.append((exponent - n) * found[-1] / z)
    return found


def _log(shift: int) -> Tower:
    def tower(z: Array, h: Array, order: int, params: dict) -> list[Any]:
        inverse = 1 / (z + shift)
        found = [inverse]
        for n in range(1, order):
            found.append(-n * inverse * found[-1])
        return found

    return tower


def _erf(sign: int) -> Tower:
    """Hermite: g = exp(-z^2), g^(m+1) = -2 z g^(m) - 2 m g^(m-1)."""

    def tower(z: Array, h: Array, order: int, params: dict) -> list[Any]:
        found = [sign * 2 / sqrt(pi) * jnp.exp(-(z**2))]
        for m in range(order - 1):
            found.append(-2 * z * found[m] - (2 * m * found[m - 1] if m else 0))
        return found

    return tower


def _integer_pow(z: Array, h: Array, order: int, params: dict) -> list[Any]:
    y = params["y"]
    coefficients = [prod(range(y, y - n, -1)) for n in range(1, order + 1)]
    return [c * lax.integer_pow(z, y - n - 1) if c else None for n, c in enumerate(coefficients)]


def _square(z: Array, h: Array, order: int, params: dict) -> list[Any]:
    return [2 * z, jnp.full_like(z, 2), *[None] * order][:order]


def _abs(z: Array, h: Array, order: int, params: dict) -> list[Any]:
    return [*nested.tower(lax.abs, z, 1), *[None] * (order - 1)]


TOWERS: dict[str, Tower] = {
    "tanh": _square_rule(lambda h: (1 - h) * (1 + h), 0, -1),
    "tan": _square_rule(lambda h: 1 + h * h, 0, 1),
    "logistic": _square_rule(lambda h: h * (1 - h), 1, -1),
    "sin": _cycle(lambda z, h: jnp.cos(z), lambda z, h: -h, lambda z, h: -jnp.cos(z), lambda z, h: h),
    "cos": _cycle(lambda z, h: -jnp.sin(z), lambda z, h: -h, lambda z, h: jnp.sin(z), lambda z, h: h),
    "sinh": _cycle(lambda z, h: jnp.cosh(z), lambda z, h: h),
    "cosh": _cycle(lambda z, h: jnp.sinh(z), lambda z, h: h),
    "exp": _cycle(lambda z, h: h),
    "expm1": _cycle(lambda z, h: jnp.exp(z)),
    "exp2": lambda z, h, order, params: [h * jnp.log(2.0).astype(h.dtype) ** n for n in range(1, order + 1)],
    "log": _log(0),
    "log1p": _log(1),
    "sqrt": lambda z, h, order, params: _power_law(z, 0.5 / h, 0.5, order),
    "cbrt": lambda z, h, order, params: _power_law(z, h / (3 * z), 1 / 3, order),
    "rsqrt": lambda z, h, order, params: _power_law(z, -0.5 * h / z, -0.5, order),
    "erf": _erf(1),
    "erfc": _erf(-1),
    "integer_pow": _integer_pow,
    "square": _square,
    "abs": _abs,
}

ELEMENTWISE = frozenset(TOWERS) | frozenset(
    "add sub mul div max min neg pow select_n clamp sign floor ceil round eq ne lt le gt ge and or not is_finite "
    "stop_gradient convert_element_type broadcast_in_dim copy log1p asinh acosh atanh asin acos atan lgamma digamma "
    "erf_inv nextafter rem atan2".split()
)
"""Primitives that keep places apart; with broadcasts of numbers, whose shapes are looked at."""


def _quotients(linear: int, quadratic: int) -> Callable[[Array, Array, int], list[Any]]:
    """For h' = const + linear h + quadratic h^2: h''/h' and h'''/h', polynomials in h and h'; 1 before them."""

    def quotients(h: Array, slope: Array, order: int) -> list[Any]:
        second = linear + 2 * quadratic * h if linear else 2 * quadratic * h
        return [1, second, 2 * quadratic * slope + second**2][:order]

    return quotients


QUOTIENTS: dict[str, Callable[..., list[Any]]] = {
    "tanh": _quotients(0, -1),
    "tan": _quotients(0, 1),
    "logistic": _quotients(1, -1),
    "exp": lambda h, slope, order: [1] * order,
}
"""Where all derivatives hold the first one as a factor: their quotients by it, up to the third. This saves products."""


def by_tower(name: str) -> Callable[[Any, list[Jet], Sequence[Term]], list[Jet]]:
    """The rule of an elementwise primitive of one argument, real, or complex with a derivative."""
    tower = TOWERS[name]

    def rule(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
        (inner,) = arguments
        if jnp.iscomplexobj(inner.value) and tower is _abs:
            return nested.rule(equation, arguments, terms)
        value = nested.values(equation, [inner.value])[0]
        order = max(term.order for term in terms)
        if 1 < order <= 3 and name in QUOTIENTS:
            (slope,) = tower(inner.value, value, 1, equation.params)
            return [Jet(value, compose(QUOTIENTS[name](value, slope, order), inner, terms, slope))]
        return [Jet(value, compose(tower(inner.value, value, order, equation.params), inner, terms))]

    return rule


def by_differentiation(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """The rule of an elementwise function of one argument whose tower JAX makes: its own rule, nested."""
    (place,) = [k for k, jet in enumerate(arguments) if jet.parts]
    inner, fixed = arguments[place], [jet.value for jet in arguments]
    function = nested.function_of(equation)

    def of_inner(z: Array) -> Array:
        return function(*fixed[:place], z, *fixed[place + 1 :])[0]

    tower = nested.tower(of_inner, inner.value, max(term.order for term in terms))
    return [Jet(of_inner(inner.value), compose(tower, inner, terms))]


def power(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """x^y; for an exponent without derivatives the tower, in which 0 times a power of 0 is 0."""
    base, exponent = arguments
    if exponent.parts:
        return nested.rule(equation, arguments, terms)
    y, value = exponent.value, nested.values(equation, [base.value, exponent.value])[0]
    tower, coefficient = [], jnp.ones_like(y) if nested.is_real(y) else 1
    for n in range(1, max(term.order for term in terms) + 1):
        coefficient = coefficient * (y - n + 1)
        # constant there: 1 instead of 0 keeps the slope that reverse mode takes for the parameters finite
        constant = ((coefficient == 0) | (y == n)) & (base.value == 0)
        safe = jnp.where(constant, jnp.ones_like(base.value), base.value)
        tower.append(coefficient * jnp.power(safe, y - n))
    parts = compose(tower, base, terms)
    return [Jet(value, {term: jnp.broadcast_to(part, value.shape) for term, part in parts.items()})]


def extremum(larger: bool) -> Callable[[Any, list[Jet], Sequence[Term]], list[Jet]]:
    """max and min: the derivatives of the argument that wins, half of each where they are equal, as in JAX."""

    def rule(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
        left, right = arguments
        value = nested.values(equation, [left.value, right.value])[0]
        first = left.value > right.value if larger else left.value < right.value
        share = jnp.where(left.value == right.value, 0.5, jnp.where(first, 1.0, 0.0)).astype(value.dtype)
        parts = {}
        for term in terms:
            a, b = left.parts.get(term), right.parts.get(term)
            shares = ((share, a), (1 - share, b))
            summands = [jnp.where(kept == 0, 0, kept * part) for kept, part in shares if part is not None]
            if summands:
                parts[term] = jnp.broadcast_to(sum(summands[1:], start=summands[0]), value.shape)
        return [Jet(value, parts)]

    return rule


def clamp(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """The derivatives of the argument strictly between fixed bounds, zero outside, as in JAX."""
    low, inner, high = arguments
    if low.parts or high.parts:
        return nested.rule(equation, arguments, terms)
    value = nested.values(equation, [low.value, inner.value, high.value])[0]
    inside = (inner.value > low.value) & (inner.value < high.value)
    return [Jet(value, {term: jnp.where(inside, part, 0) for term, part in inner.parts.items()})]


FUNCTIONS = {
    **{name: by_tower(name) for name in TOWERS},
    **dict.fromkeys("asin acos atan asinh acosh atanh lgamma digamma erf_inv".split(), by_differentiation),
    "pow": power,
    "max": extremum(True),
    "min": extremum(False),
    "clamp": clamp,
}
