"""Which derivatives a jet carries, and how products and compositions make them from others.

A term knows two rules, and jets know nothing else about it: the product rule and the chain rule. What is new,
such as a linear functional of derivatives that travels as one, joins by stating its own.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from math import comb, prod
from typing import Any, NamedTuple, Protocol


class Term(Protocol):
    """A linear functional of derivatives at a point."""

    @property
    def order(self) -> int:
        """The highest order of derivative in it; 0 is the value itself."""
        ...

    def product_rule(self) -> Sequence[tuple[Any, "Term", "Term"]]:
        """The term of f g as a sum of coefficient * (term of f) * (term of g)."""
        ...

    def chain_rule(self) -> Sequence[tuple[Any, tuple["Term", ...]]]:
        """The term of h(z) as a sum of coefficient * h^(k)(z) * product of k terms of z."""
        ...

    def below(self) -> Iterable["Term"]:
        """The terms that these rules may ask for, itself included."""
        ...

    def peel(self) -> tuple[int, "Term"] | None:
        """A direction and the term that gives this one when differentiated along it; None for the value."""
        ...


class MultiIndex(NamedTuple):
    """A mixed partial derivative: how often along each coordinate."""

    counts: tuple[int, ...]

    @property
    def order(self) -> int:
        """How many derivatives in all."""
        return sum(self.counts)

    def product_rule(self) -> Sequence[tuple[int, "MultiIndex", "MultiIndex"]]:
        """Leibniz: the binomials of all ways to share the derivatives."""
        return _leibniz(self)

    def chain_rule(self) -> Sequence[tuple[int, tuple["MultiIndex", ...]]]:
        """Faa di Bruno: the partitions of the derivatives, with how often each occurs."""
        return _faa_di_bruno(self)

    def below(self) -> Iterable["MultiIndex"]:
        """Every multi-index that is nowhere larger."""
        return [MultiIndex(counts) for counts in product(*(range(count + 1) for count in self.counts))]

    def peel(self) -> tuple[int, "MultiIndex"] | None:
        """One derivative less along the first coordinate that has any."""
        for axis, count in enumerate(self.counts):
            if count:
                return axis, self.shift(axis, -1)
        return None

    def shift(self, axis: int, by: int = 1) -> "MultiIndex":
        """One derivative more along an axis."""
        return MultiIndex((*self.counts[:axis], self.counts[axis] + by, *self.counts[axis + 1 :]))


def value_of(axes: int) -> MultiIndex:
    """The term that is the value itself."""
    return MultiIndex((0,) * axes)


def closed(terms: Iterable[Any]) -> frozenset[Any]:
    """The terms with all that their rules may ask for."""
    return frozenset(lower for term in terms for lower in term.below())


def ordered(terms: Iterable[MultiIndex]) -> tuple[MultiIndex, ...]:
    """The derivatives among the terms, lowest order first, the same in every process."""
    return tuple(sorted((term for term in terms if term.order), key=lambda term: (term.order, term.counts)))


@cache
def _leibniz(term: MultiIndex) -> tuple[tuple[int, MultiIndex, MultiIndex], ...]:
    ways = []
    for first in term.below():
        rest = MultiIndex(tuple(n - k for n, k in zip(term.counts, first.counts, strict=True)))
        ways.append((prod(comb(n, k) for n, k in zip(term.counts, first.counts, strict=True)), first, rest))
    return tuple(ways)


@cache
def _faa_di_bruno(term: MultiIndex) -> tuple[tuple[int, tuple[MultiIndex, ...]], ...]:
    """Differentiate h(z) once for each derivative in the term: a new factor, or one factor differentiated further."""
    peeled = term.peel()
    if peeled is None:
        return ((1, ()),)
    axis, lower = peeled
    unit = value_of(len(term.counts)).shift(axis)
    found: dict[tuple[MultiIndex, ...], int] = {}
    for times, factors in _faa_di_bruno(lower):
        grown = [(*factors, unit)]
        grown += [(*factors[:k], factor.shift(axis), *factors[k + 1 :]) for k, factor in enumerate(factors)]
        for monomial in grown:
            key = tuple(sorted(monomial))
            found[key] = found.get(key, 0) + times
    return tuple((times, factors) for factors, times in found.items())
