"""A concatenation remembers its pieces: a derivative that one of them has neither costs nor spoils the others.

Coordinates enter a network as pieces of one vector. `p[0]` is then the coordinate itself, whose derivative along
`p[1]` is absent, as in reverse mode, and no zero that an infinite slope at 0 turns into NaN. And the first layer
multiplies a direction by one column of its weights.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from jax import lax

from pinnace.lower.jet import Jet, filled, leibniz, total
from pinnace.lower.rules import linear, nested
from pinnace.lower.terms import Term

Rule = Callable[[Any, list[Jet], Sequence[Term]], list[Jet]]


def joined(pieces: Sequence[Jet], axis: int, terms: Sequence[Term]) -> Jet:
    """The concatenation of jets; it keeps its pieces where one lacks a derivative that another has."""
    flat = [inner for piece in pieces for inner in (piece.pieces if piece.axis == axis else (piece,))]
    held = frozenset[Term]().union(*(piece.parts for piece in flat))
    parts = {term: lax.concatenate([filled(piece, term) for piece in flat], axis) for term in terms if term in held}
    whole = Jet(lax.concatenate([piece.value for piece in pieces], axis), parts)
    return whole if all(held == piece.parts.keys() for piece in flat) else replace(whole, pieces=tuple(flat), axis=axis)


def cut(jet: Jet, axis: int, start: int, stop: int, terms: Sequence[Term]) -> Jet:
    """The entries from start to stop along an axis: whole pieces as they are."""
    if (start, stop) == (0, jet.value.shape[axis]):
        return jet
    if jet.axis == axis and start < stop:
        within = [
            (piece, max(start - low, 0), min(stop, high) - low)
            for piece, (low, high) in zip(jet.pieces, bounds(jet), strict=True)
            if low < stop and start < high
        ]
        kept = [cut(piece, axis, low, high, terms) for piece, low, high in within]
        return kept[0] if len(kept) == 1 else joined(kept, axis, terms)
    return jet.each(lambda array: lax.slice_in_dim(array, start, stop, axis=axis))


def bounds(jet: Jet) -> list[tuple[int, int]]:
    """Where each piece begins and ends."""
    return list(pairwise(accumulate((piece.value.shape[jet.axis] for piece in jet.pieces), initial=0)))


def concatenate(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Arrays end to end."""
    return [joined(arguments, equation.params["dimension"], terms)]


def stack(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Arrays along a new axis."""
    axis = equation.params["axis"]
    return [joined([jet.each(lambda array: lax.expand_dims(array, (axis,))) for jet in arguments], axis, terms)]


def slice_(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """A range of entries, taken from the pieces that it falls on."""
    (whole,) = arguments
    ranges = list(zip(equation.params["start_indices"], equation.params["limit_indices"], strict=True))
    full = [(0, size) for size in whole.value.shape]
    other = [k for k, (given, all_) in enumerate(zip(ranges, full, strict=True)) if given != all_ and k != whole.axis]
    if whole.axis is None or other or set(equation.params["strides"] or (1,)) != {1}:
        return linear.unary(equation, arguments, terms)
    return [cut(whole, whole.axis, *ranges[whole.axis], terms)]


def split(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Ranges of entries one after the other."""
    (whole,) = arguments
    axis, sizes = equation.params["axis"], map(int, equation.params["sizes"])
    return [cut(whole, axis, low, high, terms) for low, high in pairwise(accumulate(sizes, initial=0))]


def transpose(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Axes in another order, the one along which pieces lie among them."""
    (whole,) = arguments
    moved = linear.unary(equation, arguments, terms)[0]
    if whole.axis is None:
        return [moved]
    order = equation.params["permutation"]
    pieces = [piece.each(lambda array: lax.transpose(array, order)) for piece in whole.pieces]
    return [replace(moved, pieces=tuple(pieces), axis=order.index(whole.axis))]


def entrywise(rule: Rule) -> Rule:
    """The rule of a function of each entry alone, on each piece alone; what else enters must not move."""

    def on_pieces(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
        moving = [jet for jet in arguments if jet.parts]
        axis = moving[0].axis
        if len(moving) > 1 or axis is None:
            return rule(equation, arguments, terms)
        size = moving[0].value.shape[axis]

        def within(jet: Jet, low: int, high: int) -> Jet:
            spread = np.shape(jet.value)[axis : axis + 1] != (size,)
            return jet if spread else cut(jet, axis, low, high, terms)

        ranges = bounds(moving[0])
        results = [rule(equation, [within(jet, *ends) for jet in arguments], terms)[0] for ends in ranges]
        value = nested.values(equation, [jet.value for jet in arguments])[0]
        return [replace(joined(results, axis, terms), value=value)]

    return on_pieces


def dot_general(equation: Any, arguments: list[Jet], terms: Sequence[Term]) -> list[Jet]:
    """Products of matrices; a derivative of some pieces alone meets their rows alone."""
    times = _product(equation, arguments)
    (contracted, _) = equation.params["dimension_numbers"]
    for place, (inner, other) in enumerate((arguments, arguments[::-1])):
        if inner.axis in contracted[place] and not other.parts:
            against = contracted[1 - place][list(contracted[place]).index(inner.axis)]
            return [_in_blocks(times, inner, other.value, place, against, terms)]
    left, right = arguments
    return [Jet(times(left.value, right.value), leibniz(times, left, right, terms))]


def _product(equation: Any, arguments: list[Jet]) -> Callable[[Any, Any], Any]:
    """The product of an equation. A matrix times a vector that moves is taken as the vector times the matrix.

    Over many points that is points times matrix, whose rows are points as everywhere else, not columns.
    """
    left, right = arguments
    ((ours, theirs), (our_batch, their_batch)) = equation.params["dimension_numbers"]
    plain = right.parts and not left.parts and len(theirs) + len(their_batch) == right.value.ndim
    if not plain or isinstance(equation.params["precision"], tuple):
        return lambda a, b: nested.values(equation, [a, b])[0]
    settings = {name: value for name, value in equation.params.items() if name != "dimension_numbers"}
    swapped = ((theirs, ours), (their_batch, our_batch))
    return lambda a, b: lax.dot_general(b, a, swapped, **settings)


def _in_blocks(
    times: Callable[[Any, Any], Any], inner: Jet, other: Any, place: int, against: int, terms: Sequence[Term]
) -> Jet:
    def apply(part: Any, block: Any) -> Any:
        return times(part, block) if place == 0 else times(block, part)

    rows = [lax.slice_in_dim(other, low, high, axis=against) for low, high in bounds(inner)]
    parts = {}
    for term in terms:
        if all(term in piece.parts for piece in inner.pieces):
            parts[term] = apply(inner.parts[term], other)
        elif term in inner.parts:
            having = [(piece, row) for piece, row in zip(inner.pieces, rows, strict=True) if term in piece.parts]
            parts[term] = total([apply(piece.parts[term], row) for piece, row in having])
    return Jet(apply(inner.value, other), parts)
