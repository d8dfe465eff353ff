"""Jets through any JAX function: its jaxpr, read equation by equation with a rule for each primitive."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
from jax.extend import core as jex

from pinnace.lower.jet import Jet, trimmed
from pinnace.lower.rules import INSIDE, RULES, nested
from pinnace.lower.terms import Term

Inspect = Callable[[jex.ClosedJaxpr], None]


def propagate(
    function: Callable[..., Any], jets: Sequence[Jet], terms: Sequence[Term], inspect: Inspect | None = None
) -> list[Jet]:
    """The jets of what a function of arrays returns, from the jets of its arguments.

    The function is linear in nothing and knows nothing of jets; `terms` are the derivatives to carry, lowest order
    first. Python numbers are seen by the function as such. `inspect` sees the jaxpr before it is read. Returns one
    jet for each array in the function's result.
    """
    numbers = {k: jet.value for k, jet in enumerate(jets) if isinstance(jet.value, (bool, int, float))}
    arrays = [trimmed(jet, terms) for k, jet in enumerate(jets) if k not in numbers]
    batched = any(jet.batched for jet in jets)

    def of_arrays(*values: Any) -> Any:
        rest = iter(values)
        return function(*(numbers[k] if k in numbers else next(rest) for k in range(len(jets))))

    if inspect is None and not any(jet.parts for jet in arrays):
        results = jax.tree.leaves(of_arrays(*(jet.value for jet in arrays)))
        return [Jet(result, {}, batched) for result in results]
    closed = jax.make_jaxpr(of_arrays)(*(jet.value for jet in arrays))
    if inspect is not None:
        inspect(closed)
    return [replace(jet, batched=batched) for jet in interpret(closed.jaxpr, closed.consts, arrays, terms)]


def interpret(jaxpr: Any, consts: Sequence[Any], jets: Sequence[Jet], terms: Sequence[Term]) -> list[Jet]:
    """The jets that a jaxpr makes of its arguments' jets."""
    known: dict[Any, Jet] = dict(zip(jaxpr.constvars, map(Jet, consts), strict=True))
    known.update(zip(jaxpr.invars, jets, strict=True))

    def read(atom: Any) -> Jet:
        return Jet(atom.val) if isinstance(atom, jex.Literal) else known[atom]

    for equation in jaxpr.eqns:
        arguments = [read(atom) for atom in equation.invars]
        results = step(equation, arguments, terms)
        known.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def step(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """One equation: by its value alone, by its rule, by going inside, or by nested differentiation."""
    name = equation.primitive.name
    if not any(jet.parts for jet in arguments):
        return [Jet(value) for value in nested.values(equation, [jet.value for jet in arguments])]
    if name in INSIDE:
        return INSIDE[name](equation, arguments, terms, interpret)
    if name in RULES:
        return RULES[name](equation, arguments, terms)
    return nested.rule(equation, arguments, terms)
