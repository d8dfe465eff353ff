"""Linear functionals of derivatives that travel through a network as one term.

A residual is usually linear in its highest derivatives, and needs of them only their sum: u_t - nu u_xx, a
Laplacian, u_t + c u_xxx. For the symbol P of such an L = P(D), Hoermander's form of the product rule (The Analysis
of Linear Partial Differential Operators I, eq. 1.1.10; P^(b) the derivatives of the symbol)

    L(f g) = sum over b of  P^(b)(D) f  D^b g / b!

says what must travel beside it: up to half the order of L single derivatives, above that only the sums P^(b)(D),
which are functionals again. For the biharmonic operator in the plane these are 9 terms instead of 13.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import factorial, prod
from typing import Any, NamedTuple

from pinnace.lower.terms import MultiIndex, Term, closed, value_of


class Part(NamedTuple):
    """One derivative in a functional, with its coefficient: a number, times what stands in a slot, if any."""

    index: MultiIndex
    number: float
    slot: int | None = None

    def lowered(self, by: MultiIndex) -> "Part":
        """What differentiating the symbol makes of it."""
        falling = prod(factorial(n) // factorial(n - k) for n, k in zip(self.index.counts, by.counts, strict=True) if k)
        return Part(self.index.minus(by), self.number * falling, self.slot)


class Summand(NamedTuple):
    """coefficient * product of terms, in a rule."""

    number: float
    slot: int | None
    factors: tuple[Term, ...]


@dataclass(frozen=True)
class Functional:
    """L = sum of number * slot * derivative, known where the slots have values."""

    parts: tuple[Part, ...]
    beside: frozenset[MultiIndex] = frozenset()
    """Derivatives that travel anyway, because those who ask for this functional need them."""
    values: Mapping[int, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def order(self) -> int:
        """The highest order of derivative in it."""
        return max(part.index.order for part in self.parts)

    @property
    def rank(self) -> tuple:
        """After the single derivatives of its order, the same in every process."""
        parts = tuple((part.index, part.number, -1 if part.slot is None else part.slot) for part in self.parts)
        return self.order, 1, parts, tuple(sorted(self.beside))

    @property
    def slots(self) -> frozenset[int]:
        """The slots in its coefficients."""
        return frozenset(part.slot for part in self.parts if part.slot is not None)

    def bind(self, values: Mapping[int, Any]) -> "Functional":
        """The same functional with values in its slots."""
        return replace(self, values=values)

    def shift(self, axis: int, by: int = 1) -> "Functional":
        """The functional of what the derivative along an axis gives."""
        moved = tuple(part._replace(index=part.index.shift(axis, by)) for part in self.parts)
        return replace(self, parts=moved, beside=frozenset())

    def unit(self, axis: int) -> Any:
        """What it makes of a coordinate: the coefficient of the first derivative along it; None for zero."""
        for part in self.parts:
            if part.index.order == 1 and part.index.counts[axis]:
                return self.coefficient(part.number, part.slot)
        return None

    def product_rule(self) -> Sequence[tuple[Any, Term, Term]]:
        """L(f g), the derivatives of the symbol on one factor, single derivatives on the other."""
        return [
            (self.coefficient(number, slot), self._bound(first), self._bound(second))
            for number, slot, (first, second) in _rules(self).product
        ]

    def chain_rule(self) -> Sequence[tuple[Any, tuple[Term, ...]]]:
        """L(h(z)), the factors of more than half the order collected into derivatives of the symbol."""
        return [
            (self.coefficient(number, slot), tuple(map(self._bound, factors)))
            for number, slot, factors in _rules(self).chain
        ]

    def below(self) -> Iterable[Term]:
        """What its rules ask for, itself included."""
        return map(self._bound, _rules(self).below)

    def _bound(self, term: Term) -> Term:
        return term.bind(self.values)

    def coefficient(self, number: float, slot: int | None) -> Any:
        """A number times what stands in a slot."""
        number = int(number) if number == 1 else number
        if slot is None:
            return number
        return self.values[slot] if number == 1 else number * self.values[slot]


def spelled(term: Any, axes: Sequence[str]) -> str:
    """A term as one writes it: `value`, `x`, `xx`, `[t - 0.01 xx]`; unknown coefficients as dots."""
    if isinstance(term, MultiIndex):
        return "".join(axis * count for axis, count in zip(axes, term.counts, strict=True)) or "value"
    written = ""
    for part in term.parts:
        size = abs(part.number)
        factor = ("" if size == 1 else f"{size:.3g} ") + ("" if part.slot is None else "... ")
        sign = "-" if part.number < 0 else "+" if written else ""
        written += (
            f" {sign} {factor}{spelled(part.index, axes)}" if written else f"{sign}{factor}{spelled(part.index, axes)}"
        )
    return f"[{written}]"


class Rules(NamedTuple):
    """What a functional demands and does, its slots still open."""

    product: tuple[Summand, ...]
    chain: tuple[Summand, ...]
    below: frozenset[Term]


@cache
def _rules(whole: Functional) -> Rules:
    """The rules of all parts of one order at a time."""
    value = value_of(len(whole.parts[0].index.counts))
    product = [Summand(1, None, (whole, value)), Summand(1, None, (value, whole))]
    chain = [Summand(1, None, (whole,))]
    beside = closed({*whole.beside, value, *_lower_half(whole.parts)})
    for order in sorted({part.index.order for part in whole.parts}):
        symbol = _Symbol(tuple(part for part in whole.parts if part.index.order == order), order, beside)
        product += symbol.product()
        chain += symbol.chain()
    asked = {factor for summand in (*product, *chain) for factor in summand.factors if factor != whole}
    return Rules(tuple(product), tuple(chain), frozenset({whole}) | beside | closed(asked))


def _lower_half(parts: Iterable[Part]) -> set[MultiIndex]:
    """The single derivatives up to half the order of each part."""
    return {index for part in parts for index in part.index.below() if index.order <= part.index.order / 2}


class _Symbol:
    """The parts of one order, and the single derivatives that travel beside them."""

    def __init__(self, parts: Sequence[Part], order: int, beside: frozenset[MultiIndex]) -> None:
        self.parts, self.order, self.beside = parts, order, beside
        self._lowered: dict[MultiIndex, list[Part]] = {}
        for part in parts:
            for index in part.index.below():
                self._lowered.setdefault(index, []).append(part.lowered(index))

    def derivative(self, by: MultiIndex) -> list[Summand]:
        """The derivative of the symbol as terms: those that travel anyway, and the rest as one."""
        lowered = self._lowered[by]
        single = [part for part in lowered if part.index in self.beside]
        rest = tuple(part for part in lowered if part.index not in self.beside)
        if len(rest) == 1:
            single, rest = single + list(rest), ()
        found = [Summand(part.number, part.slot, (part.index,)) for part in single]
        return found + ([Summand(1, None, (Functional(rest, self.beside),))] if rest else [])

    def product(self) -> list[Summand]:
        """All of the product rule but what keeps the whole order on one factor."""
        found = []
        for index in sorted(self._lowered, key=lambda index: index.rank):
            scale = 1 / prod(map(factorial, index.counts))
            if 0 < index.order < self.order / 2:
                for number, slot, (term,) in self.derivative(index):
                    found += [Summand(number * scale, slot, pair) for pair in ((term, index), (index, term))]
            elif index.order == self.order / 2:
                found += [Summand(part.number * scale, part.slot, (part.index, index)) for part in self._lowered[index]]
        return found

    def chain(self) -> list[Summand]:
        """All of the chain rule but h' times the functional; what multiplies the same lower factors is collected."""
        found: list[Summand] = []
        collected: set[tuple[Term, ...]] = set()
        for part in self.parts:
            for times, factors in part.index.chain_rule():
                *rest, largest = sorted(factors, key=lambda factor: factor.rank)
                if not rest:
                    continue
                if largest.order <= self.order / 2:
                    found.append(Summand(times * part.number, part.slot, tuple(factors)))
                elif tuple(rest) not in collected:
                    collected.add(tuple(rest))
                    by = part.index.minus(largest)
                    scale = times / part._replace(number=1).lowered(by).number
                    for number, slot, terms in self.derivative(by):
                        found.append(Summand(number * scale, slot, (*terms, *rest)))
        return found
