"""Networks at points: one vector for each point; or axis by axis, where network and points allow it.

A separable network on a full grid is evaluated, and differentiated, at the values along each axis alone: at 3 x 100
numbers instead of a million points (Cho et al., Separable PINNs, arXiv 2306.15969).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from pinnace.expr import Expr
from pinnace.lower.backwards import cheapest
from pinnace.lower.frame import Frame
from pinnace.lower.functional import Functional
from pinnace.lower.given import Given
from pinnace.lower.guard import check_reversible
from pinnace.lower.jet import Jet
from pinnace.lower.mapped import arrays, in_dtype, mapped
from pinnace.lower.recompute import in_segments
from pinnace.lower.scatter import slopes
from pinnace.lower.terms import Asked, MultiIndex
from pinnace.net import dtype_of

Terms = Sequence[Asked]


def field(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    """The jet of a field, by the way in which its module is called."""
    return CALLS[node.data[2]](node, args, terms, frame, given)


def _vector(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    """A module that is called on the vector of its arguments."""
    if frame.outer is None and all(arg.kind == "coordinate" and arg.points is frame.points for arg in node.args):
        args = [_point([arg.data[1] for arg in node.args], args, terms, frame, given)]

    def at_point(*parts: Any) -> Any:
        return given.modules[node.data[0]](jnp.concatenate([jnp.atleast_1d(part) for part in parts]))

    return _called(at_point, node, args, terms, given)


def _number(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    """A module that is called on a number."""
    return _called(given.modules[node.data[0]], node, args, terms, given)


def _called(function: Callable[..., Any], node: Expr, args: Sequence[Jet], terms: Terms, given: Given) -> Jet:
    net = node.data[0]
    moving = [in_dtype(jet, dtype_of(given.modules[net])) for jet in arrays(args)]
    inspect = partial(check_reversible, net)
    return mapped(in_segments(function) if given.remat else function, moving, terms, inspect, cheapest)


def _separable(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    """A sum of products of functions of one coordinate each: on a grid, from their values along the axes."""
    axes = [arg.data[1] for arg in node.args if arg.kind == "coordinate"]
    grid = None if frame.outer or frame.base or frame.points is None else given.grids.get(frame.points)
    if grid is None or frame.points is None or len(set(axes)) < len(node.args):
        return _vector(node, args, terms, frame, given)
    module, lattice = given.modules[node.data[0]], given.points[frame.points].reshape(*grid, len(grid))
    indices = dict.fromkeys(index for term in (frame.value, *terms) for index in _indices(term))
    factors = []
    for place, axis in enumerate(axes):
        along = lattice[tuple(slice(None) if k == axis else 0 for k in range(len(grid)))][:, axis]
        derivatives = [MultiIndex((order + 1,)) for order in range(max(index.counts[axis] for index in indices))]
        number = Jet(along, {term: np.ones((), along.dtype) for term in derivatives[:1]}, True)
        factors.append(mapped(partial(module.factor, place), [in_dtype(number, dtype_of(module))], derivatives))
    found = {index: _product(index, factors, axes, grid, node.shape) for index in indices}
    parts: dict[Any, Any] = {}
    for term in terms:
        summands = [
            product if coefficient is None else _wide(coefficient, node.shape) * product
            for coefficient, product in _combined(term, found)
        ]
        if summands:
            parts[term] = sum(summands[1:], start=summands[0])
    value = found[frame.value]
    assert value is not None
    return Jet(value, parts, True)


def _indices(term: Any) -> list[MultiIndex]:
    """The single derivatives in a term."""
    return [part.index for part in term.parts] if isinstance(term, Functional) else [term]


def _combined(term: Any, found: dict[MultiIndex, Any]) -> list[tuple[Any, Any]]:
    """A term as a sum of coefficient * derivative, those that vanish left out."""
    if not isinstance(term, Functional):
        pairs: list[tuple[Any, Any]] = [(None, found[term])]
    else:
        pairs = [(term.coefficient(part.number, part.slot), found[part.index]) for part in term.parts]
    return [(coefficient, product) for coefficient, product in pairs if product is not None]


def _wide(coefficient: Any, shape: tuple[int, ...]) -> Any:
    """A coefficient, which may have a value at each point, so that it multiplies values of a shape at each."""
    return jnp.reshape(coefficient, (-1, *(1,) * len(shape))) if jnp.ndim(coefficient) else coefficient


def _product(
    index: MultiIndex, factors: Sequence[Jet], axes: Sequence[Any], grid: tuple[int, ...], shape: tuple[int, ...]
) -> Array | None:
    """One derivative at all points of the grid: the product of those of the factors, summed over the rank."""
    if any(count for axis, count in enumerate(index.counts) if axis not in axes):
        return None
    arrays = []
    for factor, axis in zip(factors, axes, strict=True):
        array = factor.term(MultiIndex((index.counts[axis],)))
        if array is None:
            return None
        arrays += [array, [axis, len(grid), len(grid) + 1]]
    known = sorted(axes)
    product = jnp.einsum(*arrays, [*known, len(grid)], optimize="optimal")
    wide = product.reshape(*(size if axis in axes else 1 for axis, size in enumerate(grid)), product.shape[-1])
    return jnp.broadcast_to(wide, (*grid, product.shape[-1])).reshape(-1, *shape)


def _point(axes: list[int], coordinates: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    """The coordinates as one vector: the point itself, taken as it lies in memory."""
    assert frame.points is not None
    points = given.points[frame.points]
    value = points if axes == list(range(points.shape[1])) else points[:, np.asarray(axes)]
    parts: dict[Any, Any] = {}
    if frame.scattered is not None:
        parts |= {term: part[:, np.asarray(axes)] for term, part in slopes(None, terms, frame, given, value.dtype)}
    for term in terms:
        columns = [jet.parts.get(term) for jet in coordinates]
        if term not in parts and any(column is not None for column in columns):
            parts[term] = _row([np.zeros((), value.dtype) if column is None else column for column in columns])
    held = [jet.parts.keys() for jet in coordinates]
    if all(one == held[0] for one in held):
        return Jet(value, parts, True)
    pieces = (
        Jet(value[:, k : k + 1], {term: part[..., None] for term, part in jet.parts.items()}, True)
        for k, jet in enumerate(coordinates)
    )
    return Jet(value, parts, True, tuple(pieces), 0)


def _row(columns: Sequence[Any]) -> Any:
    """Numbers at a point, or at every point, as a vector there."""
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.stack(columns)
    return jnp.stack(jnp.broadcast_arrays(*columns), axis=-1)


CALLS: dict[str, Callable[[Expr, Sequence[Jet], Terms, Frame, Given], Jet]] = {
    "vector": _vector,
    "number": _number,
    "separable": _separable,
}
