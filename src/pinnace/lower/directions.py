"""Many first derivatives as one: beyond a few, they go through a function as one array with an axis of directions.

Each rule sees one direction, `jax.vmap` makes it all of them, and what a Laplacian adds up is a sum over the mapped
axis. On a CPU, blocks of 8 directions take as long as separate arrays in 30 dimensions and 0.8 of the time in 100,
and compile several times as fast.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
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

BLOCK = 8
"""How many of them lie in one array: as many as a cache holds at once."""


def together(
    function: Callable[..., Any], jets: Sequence[Jet], terms: Sequence[Term], inspect: Inspect | None = None
) -> list[Jet]:
    """As `propagate`, at one point; directions together where they are many and nothing needs two that differ."""
    along = [term for term in terms if isinstance(term, MultiIndex) and term.order == 1]
    sums = [term for term in terms if isinstance(term, Functional) and _is_diagonal(term)]
    if len(along) < MANY or len(along) + len(sums) < len(terms):
        return propagate(function, jets, terms, inspect)
    blocks = [_Block(k, along[k : k + BLOCK], jets, sums) for k in range(0, len(along), BLOCK)]

    def carried(inside: Sequence[_Block]) -> list[Jet]:
        whole = {one: Summed(one, tuple(block.sum(number) for block in inside)) for number, one in enumerate(sums)}
        moving = [_in_blocks(jet, place, inside, whole) for place, jet in enumerate(jets)]
        results = propagate(function, moving, [*(block.each for block in inside), *whole.values()], inspect)
        back = {term: functional for functional, term in whole.items()}
        return [Jet(jet.value, {back.get(term, term): part for term, part in jet.parts.items()}) for jet in results]

    results = _mapped(blocks, [], carried)
    return [_apart(jet, blocks) for jet in results]


class _Block:
    """Some directions: what moves each argument along them, and their weights in each functional."""

    def __init__(
        self, start: int, along: Sequence[MultiIndex], jets: Sequence[Jet], sums: Sequence[Functional]
    ) -> None:
        self.each, self.along = Direction(start, len(along[0].counts)), along
        self.seeds = [_seed(jet, along) for jet in jets]
        dtype = jnp.result_type(*(jet.value for jet in jets if jet.parts))
        self.weights = [_weights(functional, along, dtype) for functional in sums]

    def inside(self, seeds: list[Any], weights: list[Any]) -> "_Block":
        """The same for one direction."""
        one = copy(self)
        one.seeds, one.weights = seeds, weights
        return one

    def sum(self, number: int) -> "Sum":
        """What adds up over the directions of this block, for one of the functionals."""
        return Sum(self.each, self.weights[number])


def _mapped(
    blocks: Sequence[_Block], inside: list[_Block], carried: Callable[[Sequence[_Block]], list[Jet]]
) -> list[Jet]:
    """The jets with one axis for each block, the innermost block last; what no direction moves has none of them."""
    if not blocks:
        return carried(inside)
    block, *rest = blocks

    def one(seeds: list[Any], weights: list[Any]) -> tuple[list[Jet], list[Any]]:
        results = _mapped(rest, [*inside, block.inside(seeds, weights)], carried)
        others = [replace(jet, parts={t: p for t, p in jet.parts.items() if t != block.each}) for jet in results]
        return others, [jet.parts.get(block.each) for jet in results]

    axes = [None if isinstance(weight, float) else 0 for weight in block.weights]
    over = jax.vmap(one, (0, axes), (None, 0), axis_name=block.each.name)
    others, slopes = over(block.seeds, block.weights)
    return [
        jet if slope is None else replace(jet, parts={**jet.parts, block.each: slope})
        for jet, slope in zip(others, slopes, strict=True)
    ]


def _apart(jet: Jet, blocks: Sequence[_Block]) -> Jet:
    """The jet with a derivative for each direction again."""
    parts = dict(jet.parts)
    for block in blocks:
        if block.each in parts:
            parts |= zip(block.along, parts.pop(block.each), strict=True)
    return Jet(jet.value, parts)


@dataclass(frozen=True)
class Direction:
    """The first derivative along each direction of a block, which rules see as one direction."""

    block: int
    axes: int
    order: int = 1
    slots: frozenset[int] = frozenset()
    values: Mapping[int, Any] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The axis over which it is mapped."""
        return f"pinnace directions {self.block}"

    @property
    def rank(self) -> tuple:
        """By block."""
        return 1, 0, self.block

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
class Sum:
    """A coefficient that adds up over the directions of a block what it multiplies."""

    each: Direction
    weight: Any

    def __mul__(self, other: Array) -> Array:
        return lax.psum(scaled(self.weight, other), self.each.name)

    def doubled(self) -> "Sum":
        """Twice as much."""
        return replace(self, weight=2 * self.weight)


@dataclass(frozen=True)
class Summed:
    """A functional without mixed derivatives, its second derivatives added up block by block."""

    functional: Functional
    sums: tuple[Sum, ...] = field(compare=False)
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

    def product_rule(self) -> Sequence[tuple[Any, Term, Term]]:
        """The functional of one factor times the other, and twice the sums of the products of slopes."""
        value = value_of(self.sums[0].each.axes)
        return [(1, self, value), (1, value, self), *((one.doubled(), one.each, one.each) for one in self.sums)]

    def chain_rule(self) -> Sequence[tuple[Any, tuple[Term, ...]]]:
        """h' times it, h'' times the sums of the squares of slopes."""
        return [(1, (self,)), *((one, (one.each, one.each)) for one in self.sums)]

    def below(self) -> Iterable[Term]:
        """The directions and itself."""
        return [*(term for one in self.sums for term in one.each.below()), self]

    def bind(self, values: Mapping[int, Any]) -> "Summed":
        """Itself."""
        return self


def _is_diagonal(functional: Functional) -> bool:
    """Whether it has second derivatives along one axis at a time only, and first ones."""
    return functional.order == 2 and all(max(part.index.counts) == part.index.order for part in functional.parts)


def _weights(functional: Functional, along: Sequence[MultiIndex], dtype: Any) -> Any:
    """The coefficient of the second derivative along each direction; one number where all are the same."""
    found = dict.fromkeys(along, 0.0)
    for part in functional.parts:
        slope = value_of(len(part.index.counts)).shift(part.index.counts.index(max(part.index.counts)))
        if part.index.order == 2 and slope in found:
            found[slope] = functional.coefficient(part.number, part.slot)
    first, *rest = found.values()
    if all(isinstance(weight, float | int) and weight == first for weight in (first, *rest)):
        return float(first)
    return jnp.stack([jnp.asarray(weight, dtype) for weight in found.values()])


def _seed(jet: Jet, along: Sequence[MultiIndex]) -> Any:
    """The slopes along all directions, one after the other; None where there is none."""
    found = [jet.parts.get(term) for term in along]
    known = [part for part in found if part is not None]
    if not known:
        return None
    space = np if all(isinstance(part, np.ndarray) for part in known) else jnp
    zero = np.zeros(np.shape(jet.value), jnp.result_type(jet.value))
    return space.stack([zero if part is None else part for part in found])


def _in_blocks(jet: Jet, place: int, blocks: Sequence[_Block], whole: Mapping[Functional, Summed]) -> Jet:
    """What one direction of each block sees of an argument."""
    parts: dict[Any, Any] = {block.each: block.seeds[place] for block in blocks if block.seeds[place] is not None}
    parts |= {term: jet.parts[functional] for functional, term in whole.items() if functional in jet.parts}
    return replace(jet, parts=parts, pieces=(), axis=None)
