"""Primitives that carry functions: jets go inside, and branches and carries agree on the terms they hold."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from pinnace.lower.jet import Jet, filled
from pinnace.lower.rules import elementwise, nested
from pinnace.lower.terms import Term

Interpret = Callable[[Any, Sequence[Any], Sequence[Jet], Sequence[Term]], list[Jet]]
Present = list[frozenset]
"""For each value of a list, the derivatives that are not zero."""


def call(name: str) -> Callable[..., list[Jet]]:
    """A function called as it is: `jit` and its like."""

    def rule(equation: Any, arguments: list[Jet], terms: Sequence[Term], interpret: Interpret) -> list[Jet]:
        inner = equation.params[name]
        return interpret(inner.jaxpr, inner.consts, arguments, terms)

    return rule


def remat(equation: Any, arguments: list[Jet], terms: Sequence[Term], interpret: Interpret) -> list[Jet]:
    """A function whose inner values are computed again in the backward pass, derivatives included."""
    present = [frozenset(jet.parts) for jet in arguments]
    made: list[Present] = []

    def function(flat: list[Any]) -> list[Any]:
        results = interpret(equation.params["jaxpr"], (), unflatten(flat, present, terms), terms)
        made[:] = [[frozenset(jet.parts) for jet in results]]
        return flatten(results, made[0], terms)

    settings = {key: equation.params[key] for key in ("prevent_cse", "policy")}
    flat = jax.checkpoint(function, **settings)(flatten(arguments, present, terms))
    return unflatten(flat, made[0], terms)


def cond(equation: Any, arguments: list[Jet], terms: Sequence[Term], interpret: Interpret) -> list[Jet]:
    """The branch that is taken; all branches hold the terms that any of them has."""
    index, operands = arguments[0].value, arguments[1:]
    present = [frozenset(jet.parts) for jet in operands]
    branches = equation.params["branches"]

    def run(branch: Any, flat: list[Any]) -> list[Jet]:
        return interpret(branch.jaxpr, branch.consts, unflatten(flat, present, terms), terms)

    flat = flatten(operands, present, terms)
    results = [union_of(lambda flat, branch=branch: run(branch, flat), flat) for branch in branches]
    joined = [frozenset().union(*parts) for parts in zip(*results, strict=True)]

    def taken(branch: Any) -> Callable[[list[Any]], list[Any]]:
        return lambda flat: flatten(run(branch, flat), joined, terms)

    return unflatten(lax.switch(index, [taken(branch) for branch in branches], flat), joined, terms)


def scan(equation: Any, arguments: list[Jet], terms: Sequence[Term], interpret: Interpret) -> list[Jet]:
    """A loop over layers or steps; the carry holds every term that it has at any turn."""
    params = equation.params
    n_consts, n_carry, body = params["num_consts"], params["num_carry"], params["jaxpr"]
    consts, carry, xs = arguments[:n_consts], arguments[n_consts : n_consts + n_carry], arguments[n_consts + n_carry :]
    x_terms = [frozenset(jet.parts) for jet in xs]
    flat_xs = flatten(xs, x_terms, terms)

    def turn(held: Present) -> Callable[[list[Any], list[Any]], list[Jet]]:
        def run(flat_carry: list[Any], flat_x: list[Any]) -> list[Jet]:
            jets = [*consts, *unflatten(flat_carry, held, terms), *unflatten(flat_x, x_terms, terms)]
            return interpret(body.jaxpr, body.consts, jets, terms)

        return run

    held = [frozenset(jet.parts) for jet in carry]
    one_x = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), flat_xs)
    while True:
        made = union_of(turn(held), flatten(carry, held, terms), one_x)
        grown = [old | new for old, new in zip(held, made[:n_carry], strict=True)]
        if grown == held:
            break
        held = grown
    y_terms = made[n_carry:]

    def step(flat_carry: list[Any], flat_x: list[Any]) -> tuple[list[Any], list[Any]]:
        results = turn(held)(flat_carry, flat_x)
        return flatten(results[:n_carry], held, terms), flatten(results[n_carry:], y_terms, terms)

    last, ys = lax.scan(
        step, flatten(carry, held, terms), flat_xs, params["length"], params["reverse"], params["unroll"]
    )
    return [*unflatten(last, held, terms), *unflatten(ys, y_terms, terms)]


def custom_jvp(equation: Any, arguments: list[Jet], terms: Sequence[Term], interpret: Interpret) -> list[Jet]:
    """The value from inside, the derivatives from the rule that its author gave: relu' at 0 is 0, not 1/2."""
    inner = equation.params["call_jaxpr"].jaxpr
    moving = [jet for jet in arguments if jet.parts]
    if len(moving) == 1 and len(equation.outvars) == 1 and entrywise(inner, moving[0].value.shape):
        return elementwise.by_differentiation(equation, arguments, terms)
    return nested.rule(equation, arguments, terms)


def entrywise(jaxpr: Any, shape: tuple[int, ...]) -> bool:
    """Whether a function acts on each entry of an array alone: all its primitives do, and none can shrink an array."""
    for equation in jaxpr.eqns:
        closed = equation.params.get("jaxpr") or equation.params.get("call_jaxpr")
        if closed is not None and not entrywise(closed.jaxpr, shape):
            return False
        if closed is None and equation.primitive.name not in elementwise.ELEMENTWISE:
            return False
    return all(var.aval.shape == shape for var in jaxpr.outvars)


def union_of(function: Callable[..., list[Jet]], *flat: Any) -> Present:
    """Which terms the results of a function have, found without computing them."""
    made: list[Present] = []

    def shaped(*given: Any) -> list[Any]:
        results = function(*given)
        made.append([frozenset(jet.parts) for jet in results])
        return [jet.value for jet in results]

    jax.eval_shape(shaped, *flat)
    return made[-1]


def flatten(jets: Sequence[Jet], present: Present, terms: Sequence[Term]) -> list[list[Any]]:
    """Jets as lists of arrays, zeros for the terms that are due and absent."""
    rows = []
    for jet, held in zip(jets, present, strict=True):
        rows.append([jnp.asarray(jet.value), *(filled(jet, term) for term in terms if term in held)])
    return rows


def unflatten(rows: Sequence[Sequence[Any]], present: Present, terms: Sequence[Term]) -> list[Jet]:
    """The jets that `flatten` made lists of."""
    held = [[term for term in terms if term in parts] for parts in present]
    return [Jet(row[0], dict(zip(names, row[1:], strict=True))) for row, names in zip(rows, held, strict=True)]


INSIDE: dict[str, Callable[[Any, list[Jet], Sequence[Term], Interpret], list[Jet]]] = {
    "jit": call("jaxpr"),
    "pjit": call("jaxpr"),
    "closed_call": call("call_jaxpr"),
    "core_call": call("call_jaxpr"),
    "custom_vjp_call": call("call_jaxpr"),
    "custom_vjp_call_jaxpr": call("fun_jaxpr"),
    "custom_jvp_call": custom_jvp,
    "remat": remat,
    "remat2": remat,
    "checkpoint": remat,
    "cond": cond,
    "scan": scan,
}
