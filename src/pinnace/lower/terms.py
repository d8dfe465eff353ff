"""Which derivatives a jet carries, and how products and compositions make them from others.

A term knows two rules, and jets know nothing else about it: the product rule and the chain rule. What is new,
such as a linear functional of derivatives that travels as one, joins by stating its own.
"""

from collections.abc import Iterable, Mapping, Sequence
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

    @property
    def rank(self) -> tuple:
        """What terms are sorted by: lower orders first, the same in every process."""
        ...

    @property
    def slots(self) -> frozenset[int]:
        """Which of the coefficients that are evaluated beforehand it holds."""
        ...

    @property
    def values(self) -> Mapping[int, Any]:
        """What these coefficients are, where they are known."""
        ...

    def bind(self, values: Mapping[int, Any]) -> "Term":
        """The same term with values for its slots."""
        ...


class Asked(Term, Protocol):
    """What the language may ask for: it knows coordinates."""

    def shift(self, axis: int) -> "Asked":
        """What a derivative along an axis asks of its argument, to make this term of its result."""
        ...

    def unit(self, axis: int) -> Any:
        """What it makes of a coordinate; None for zero."""
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

    @property
    def rank(self) -> tuple:
        """By order, then by axes."""
        return self.order, 0, self.counts

    @property
    def slots(self) -> frozenset[int]:
        """None."""
        return frozenset()

    @property
    def values(self) -> Mapping[int, Any]:
        """None."""
        return {}

    def bind(self, values: Mapping[int, Any]) -> "MultiIndex":
        """Itself: nothing in it is open."""
        return self

    def shift(self, axis: int, by: int = 1) -> "MultiIndex":
        """One derivative more along an axis."""
        return MultiIndex((*self.counts[:axis], self.counts[axis] + by, *self.counts[axis + 1 :]))

    def unit(self, axis: int) -> int | None:
        """1 for the first derivative along the axis."""
        return 1 if self.order == 1 and self.counts[axis] else None

    def plus(self, other: "MultiIndex") -> "MultiIndex":
        """Both derivatives, one after the other."""
        return MultiIndex(tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)))

    def minus(self, other: "MultiIndex") -> "MultiIndex":
        """What is left of the derivatives without the other ones."""
        return MultiIndex(tuple(a - b for a, b in zip(self.counts, other.counts, strict=True)))

    def within(self, other: "MultiIndex") -> bool:
        """Whether it is nowhere larger than the other."""
        return all(a <= b for a, b in zip(self.counts, other.counts, strict=True))


def value_of(axes: int) -> MultiIndex:
    """The term that is the value itself."""
    return MultiIndex((0,) * axes)


def closed(terms: Iterable[Any]) -> frozenset[Any]:
    """The terms with all that their rules may ask for."""
    return frozenset(lower for term in terms for lower in term.below())


def ordered(terms: Iterable[Any]) -> tuple[Any, ...]:
    """The derivatives among the terms, lowest order first, the same in every process."""
    return tuple(sorted((term for term in terms if term.order), key=lambda term: term.rank))


@cache
def _leibniz(term: MultiIndex) -> tuple[tuple[int, MultiIndex, MultiIndex], ...]:
    ways = []
    for first in term.below():
        rest = term.minus(first)
        ways.append((prod(comb(n, k) for n, k in zip(term.counts, first.counts, strict=True)), first, rest))
    return tuple(ways)


@cache
def _faa_di_bruno(term: MultiIndex) -> tuple[tuple[int, tuple[MultiIndex, ...]], ...]:
    """Differentiate h(z) once for each derivative in the term: a new factor, or one factor differentiated further."""
    axis = next((axis for axis, count in enumerate(term.counts) if count), None)
    if axis is None:
        return ((1, ()),)
    lower = term.shift(axis, -1)
    unit = value_of(len(term.counts)).shift(axis)
    found: dict[tuple[MultiIndex, ...], int] = {}
    for times, factors in _faa_di_bruno(lower):
        grown = [(*factors, unit)]
        grown += [(*factors[:k], factor.shift(axis), *factors[k + 1 :]) for k, factor in enumerate(factors)]
        for monomial in grown:
            key = tuple(sorted(monomial))
            found[key] = found.get(key, 0) + times
    return tuple((times, factors) for factors, times in found.items())
