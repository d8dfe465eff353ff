"""A value with its derivatives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from pinnace.lower.terms import Term


@dataclass(frozen=True)
class Jet:
    """A value and the derivatives of it that are not zero, each an array of the shape of the value.

    `batched` tells whether the first axis runs over the points; without it, the value is the same at all of them. A
    derivative that is the same at all points may lack that axis. A concatenation along `axis`, counted at a point,
    knows its `pieces`, where some lack a derivative (see `rules.pieces`).
    """

    value: Any
    parts: dict[Any, Any] = field(default_factory=dict)
    batched: bool = False
    pieces: tuple["Jet", ...] = ()
    axis: int | None = None

    def term(self, term: Term) -> Any:
        """The value or a derivative; None where it is zero."""
        return self.parts.get(term) if term.order else self.value

    def each(self, function: Callable[[Any], Any]) -> "Jet":
        """The jet of a linear function of the value."""
        return Jet(function(self.value), {term: function(part) for term, part in self.parts.items()})


def _flatten(jet: Jet) -> tuple[tuple, tuple]:
    return (jet.value, tuple(jet.parts.values()), jet.pieces), (tuple(jet.parts), jet.batched, jet.axis)


def _unflatten(fixed: tuple, arrays: Sequence[Any]) -> Jet:
    (terms, batched, axis), (value, parts, pieces) = fixed, arrays
    return Jet(value, dict(zip(terms, parts, strict=True)), batched, tuple(pieces), axis)


jax.tree_util.register_pytree_node(Jet, _flatten, _unflatten)


def total(summands: Sequence[Any]) -> Any:
    """The sum of what is there; None for nothing."""
    found = None
    for summand in summands:
        found = summand if found is None else found + summand
    return found


def scaled(coefficient: Any, value: Any) -> Any:
    """coefficient * value, without the product where the coefficient is 1."""
    return value if isinstance(coefficient, int | float) and coefficient == 1 else coefficient * value


def leibniz(times: Callable[[Any, Any], Any], left: Jet, right: Jet, terms: Sequence[Term]) -> dict[Term, Array]:
    """The derivatives of a bilinear product, by the product rule of each term."""
    parts = {}
    for term in terms:
        summands = []
        for coefficient, first, second in term.product_rule():
            a, b = left.term(first), right.term(second)
            if a is not None and b is not None:
                summands.append(scaled(coefficient, times(a, b)))
        if summands:
            parts[term] = total(summands)
    return parts


def compose(tower: Sequence[Any], inner: Jet, terms: Sequence[Term], common: Any = None) -> dict[Term, Array]:
    """The derivatives of h(z) from the tower h', h'', ... at z (None where one vanishes) and the jet of z.

    With a common factor, the tower is that of the quotients by it.
    """
    parts = {}
    for term in terms:
        by_order: dict[int, list[Any]] = {}
        for coefficient, factors in term.chain_rule():
            values = [inner.term(factor) for factor in factors]
            if any(value is None for value in values) or tower[len(factors) - 1] is None:
                continue
            by_order.setdefault(len(factors), []).append(scaled(coefficient, _product(values)))
        summands = [scaled(tower[order - 1], total(group)) for order, group in by_order.items()]
        if summands:
            parts[term] = total(summands) if common is None else common * total(summands)
    return parts


def _product(values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = found * value
    return found


def spread(jet: Jet) -> Jet:
    """The jet with all derivatives in the shape of the value."""
    shape = jnp.shape(jet.value)
    return replace(jet, parts={term: jnp.broadcast_to(part, shape) for term, part in jet.parts.items()})


def filled(jet: Jet, term: Term) -> Any:
    """The term, zeros where it is absent."""
    found = jet.term(term)
    return jnp.zeros_like(jet.value) if found is None else found


def trimmed(jet: Jet, terms: Sequence[Term]) -> Jet:
    """The jet without the derivatives that nobody asks for."""
    parts = {term: jet.parts[term] for term in terms if term in jet.parts}
    return replace(jet, parts=parts, pieces=tuple(trimmed(piece, terms) for piece in jet.pieces))
