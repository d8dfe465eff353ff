"""Many first derivatives as one: beyond a few, they go through a function as one array with an axis of directions.

Each rule sees one direction, `jax.vmap` makes it all of them, and what a Laplacian adds up is a sum over the mapped
axis. On a CPU this takes as long as separate arrays from about 16 directions on, and compiles in a fraction of the
time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from pinnace.lower.functional import Functional
from pinnace.lower.interpret import Inspect, propagate
from pinnace.lower.jet import Jet, scaled
from pinnace.lower.terms import MultiIndex, Term, value_of

MANY = 16
"""The least number of directions that go together."""

AXIS = "pinnace directions"


def together(
    function: Callable[..., Any], jets: Sequence[Jet], terms: Sequence[Term], inspect: Inspect | None = None
) -> list[Jet]:
    """As `propagate`, at one point; directions together where they are many and nothing needs two that differ."""
    along = [term for term in terms if isinstance(term, MultiIndex) and term.order == 1]
    sums = [term for term in terms if isinstance(term, Functional) and _is_diagonal(term)]
    if len(along) < MANY or len(along) + len(sums) < len(terms):
        return propagate(function, jets, terms, inspect)
    each = Direction(len(along[0].counts))
    seeds = [_seed(jet, along) for jet in jets]
    weights = [_weights(functional, along) for functional in sums]

    def one(seeds: list[Any], weights: list[Any]) -> tuple[list[Any], list[Any]]:
        whole = {functional: Summed(functional, weight) for functional, weight in zip(sums, weights, strict=True)}
        moving = [_in_direction(jet, each, seed, whole) for jet, seed in zip(jets, seeds, strict=True)]
        results = propagate(function, moving, [each, *whole.values()], inspect)
        fixed = [(jet.value, [jet.parts.get(term) for term in whole.values()]) for jet in results]
        return fixed, [jet.parts.get(each) for jet in results]

    over_weights = [None if isinstance(weight, float) else 0 for weight in weights]
    fixed, slopes = jax.vmap(one, (0, over_weights), (None, 0), axis_name=AXIS)(seeds, weights)
    return [
        Jet(value, _present(sums, parts) | ({} if slope is None else dict(zip(along, slope, strict=True))))
        for (value, parts), slope in zip(fixed, slopes, strict=True)
    ]


@dataclass(frozen=True)
class Direction:
    """The first derivative along one of many directions."""

    axes: int
    order: int = 1
    slots: frozenset[int] = frozenset()
    values: Mapping[int, Any] = field(default_factory=dict, compare=False)

    @property
    def rank(self) -> tuple:
        """Before what is summed over directions."""
        return 1, 0

    def product_rule(self) -> Sequence[tuple[Any, Term, Term]]:
        """Leibniz."""
        value = value_of(self.axes)
        return [(1, self, value), (1, value, self)]

    def chain_rule(self) -> Sequence[tuple[Any, tuple[Term, ...]]]:
        """h' times it."""
        return [(1, (self,))]

    def below(self) -> Iterable[Term]:
        """The value and itself."""
        return [value_of(self.axes), self]

    def bind(self, values: Mapping[int, Any]) -> "Direction":
        """Itself."""
        return self


@dataclass(frozen=True)
class Summed:
    """A functional without mixed derivatives, its second derivatives known by their weight in one direction."""

    functional: Functional
    weight: Any = field(compare=False)
    slots: frozenset[int] = frozenset()
    values: Mapping[int, Any] = field(default_factory=dict, compare=False)

    @property
    def order(self) -> int:
        """That of the functional: 2."""
        return self.functional.order

    @property
    def rank(self) -> tuple:
        """After the directions."""
        return self.functional.rank

    @property
    def _each(self) -> Direction:
        return Direction(len(self.functional.parts[0].index.counts))

    def product_rule(self) -> Sequence[tuple[Any, Term, Term]]:
        """The functional of one factor times the other, and twice the sum of the products of slopes."""
        value = value_of(self._each.axes)
        return [(1, self, value), (1, value, self), (Sum(2 * self.weight), self._each, self._each)]

    def chain_rule(self) -> Sequence[tuple[Any, tuple[Term, ...]]]:
        """h' times it, h'' times the sum of the squares of slopes."""
        return [(1, (self,)), (Sum(self.weight), (self._each, self._each))]

    def below(self) -> Iterable[Term]:
        """The value, the directions, itself."""
        return [*self._each.below(), self]

    def bind(self, values: Mapping[int, Any]) -> "Summed":
        """Itself."""
        return self


@dataclass(frozen=True)
class Sum:
    """A coefficient that adds up over all directions what it multiplies."""

    weight: Any

    def __mul__(self, other: Array) -> Array:
        return lax.psum(scaled(self.weight, other), AXIS)


def _is_diagonal(functional: Functional) -> bool:
    """Whether it has second derivatives along one axis at a time only, and first ones."""
    return functional.order == 2 and all(max(part.index.counts) == part.index.order for part in functional.parts)


def _weights(functional: Functional, along: Sequence[MultiIndex]) -> Any:
    """The coefficient of the second derivative along each direction; one number where all are the same."""
    found = dict.fromkeys(along, 0.0)
    for part in functional.parts:
        if part.index.order == 2:
            axis = part.index.counts.index(2)
            found[value_of(len(part.index.counts)).shift(axis)] = functional.coefficient(part.number, part.slot)
    first, *rest = found.values()
    if all(isinstance(weight, float | int) and weight == first for weight in (first, *rest)):
        return float(first)
    return jnp.stack([jnp.asarray(weight, float) for weight in found.values()])


def _seed(jet: Jet, along: Sequence[MultiIndex]) -> Any:
    """The slopes along all directions, one after the other; None where there is none."""
    found = [jet.parts.get(term) for term in along]
    known = [part for part in found if part is not None]
    if not known:
        return None
    space = np if all(isinstance(part, np.ndarray) for part in known) else jnp
    zero = np.zeros(np.shape(jet.value), jnp.result_type(jet.value))
    return space.stack([zero if part is None else part for part in found])


def _in_direction(jet: Jet, each: Direction, seed: Any, whole: Mapping[Functional, Summed]) -> Jet:
    """What one direction sees of a jet."""
    parts: dict[Any, Any] = {} if seed is None else {each: seed}
    parts |= {term: jet.parts[functional] for functional, term in whole.items() if functional in jet.parts}
    return replace(jet, parts=parts, pieces=(), axis=None)


def _present(terms: Sequence[Term], parts: Sequence[Any]) -> dict[Term, Any]:
    return {term: part for term, part in zip(terms, parts, strict=True) if part is not None}
