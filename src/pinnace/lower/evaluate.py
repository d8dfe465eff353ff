"""Bottom-up: each node's value together with exactly the derivatives that are needed, in one forward propagation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from pinnace._errors import LoweringError
from pinnace.expr import Expr, PointSet, text
from pinnace.lower import reduce
from pinnace.lower.frame import Frame
from pinnace.lower.guard import check_reversible
from pinnace.lower.interpret import Inspect, propagate
from pinnace.lower.jet import Jet
from pinnace.lower.recompute import in_segments
from pinnace.lower.require import Plan, moved_derivative
from pinnace.lower.terms import MultiIndex, Term, ordered
from pinnace.net import dtype_of
from pinnace.optim import Trainable

Terms = Sequence[MultiIndex]


@dataclass(frozen=True)
class Given:
    """What the expressions are evaluated at."""

    modules: Mapping[Trainable, Any]
    points: Mapping[PointSet, Array]
    weights: Callable[[int, Sequence[Array]], Array]
    """The weights of the k-th balancer, given the raw losses that it looks at."""
    known: Mapping[Expr, Any] = field(default_factory=dict)
    """Values of expressions without points that were computed before."""
    counts: Mapping[PointSet, int] = field(default_factory=dict)
    """How many points of a set are real, where copies of some follow them."""
    microbatch: int | None = None
    """How many points at once a reduction may see."""
    remat: bool = False
    """Whether the backward pass computes again what a field computed between its matrix products."""


def evaluate(plan: Plan, given: Given) -> list[Any]:
    """The values of the roots of a plan: arrays `[n, *shape]`, or `[*shape]` for what has one value in all."""
    jets: dict[Any, Jet] = {}
    for key in plan.order:
        frame, node = key
        if node in given.known:
            jets[key] = Jet(given.known[node])
            continue
        args = [jets[arg] for arg in plan.arguments[key]]
        jets[key] = EVALUATE[node.kind](node, args, ordered(plan.needs[key]), frame, given)
    return [over_points(root, jets[frame, root], given) for frame, root in plan.roots]


def over_points(node: Expr, jet: Jet, given: Given) -> Any:
    """The value with one row a point, also where all rows are the same."""
    if node.points is None or jet.batched:
        return jnp.asarray(jet.value)
    return jnp.broadcast_to(jet.value, (len(given.points[node.points]), *node.shape))


def mapped(function: Callable[..., Any], args: Sequence[Jet], terms: Terms, inspect: Inspect | None = None) -> Jet:
    """A function of one point over all points; what is the same at all of them enters once."""
    fixed = [isinstance(jet.value, (bool, int, float)) for jet in args]
    axes = [0 if jet.batched else None for jet, number in zip(args, fixed, strict=True) if not number]

    def over_all(*values: Any) -> Any:
        def one(*rest: Any) -> Any:
            left = iter(rest)
            return function(*(value if number else next(left) for value, number in zip(values, fixed, strict=True)))

        arrays = [value for value, number in zip(values, fixed, strict=True) if not number]
        return (jax.vmap(one, tuple(axes)) if 0 in axes else one)(*arrays)

    return propagate(over_all, args, terms, inspect)[0]


def arrays(args: Sequence[Jet]) -> list[Jet]:
    """Jets whose Python numbers have become arrays of the default precision, as functions of one point expect."""
    real = jnp.result_type(float)
    return [Jet(jnp.asarray(jet.value, real)) if isinstance(jet.value, (bool, int, float)) else jet for jet in args]


def in_dtype(jet: Jet, dtype: Any) -> Jet:
    """The jet in the precision of a module, where that has one."""
    if dtype is None or jet.value.dtype == dtype or not jnp.issubdtype(jet.value.dtype, jnp.floating):
        return jet
    parts = {term: part.astype(dtype) for term, part in jet.parts.items()}
    pieces = tuple(in_dtype(piece, dtype) for piece in arrays(jet.pieces))
    return replace(jet, value=jet.value.astype(dtype), parts=parts, pieces=pieces)


def _constant(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    value = node.data[0]
    return Jet(value if isinstance(value, (bool, int, float)) else jnp.asarray(value))


def _parameter(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    return Jet(given.modules[node.data[0]]())


def _coordinate(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    points, axis = node.data
    batched = args[0].batched if args else True
    value = jnp.asarray(args[0].value, jnp.result_type(float)) if args else given.points[points][:, axis]
    unit = frame.value.shift(axis)
    return Jet(value, {unit: jnp.ones_like(value)} if unit in terms else {}, batched)


def _normal(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    if terms or frame.outer is not None:
        raise LoweringError(
            f"`{text(node)}` is known at the points of the boundary only: it cannot be differentiated, nor moved by "
            f"`.at`. Multiply derivatives by it, as in `nx * u.d(x) + ny * u.d(y)`."
        )
    points, axis = node.data
    return Jet(points.plan.normals(given.points[points])[:, axis], {}, True)


def _field(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    net, _, scalar = node.data
    module = given.modules[net]

    def at_point(*parts: Any) -> Any:
        return module(parts[0] if scalar else jnp.concatenate([jnp.atleast_1d(part) for part in parts]))

    point = [in_dtype(jet, dtype_of(module)) for jet in arrays(args)]
    return mapped(in_segments(at_point) if given.remat else at_point, point, terms, partial(check_reversible, net))


def _elementwise(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    function = getattr(jnp, node.data[0])
    if all(arg.shape == () for arg in node.args):
        return propagate(function, args, terms)[0]
    return mapped(function, args, terms)


def _event(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    name, settings, together = node.data
    function = partial(jnp.linalg.norm if name == "norm" else getattr(jnp, name), **dict(settings))
    return mapped((lambda *parts: function(parts)) if together else function, args, terms)


def _index(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    return mapped(lambda value: value[node.data[0]], args, terms)


def _apply(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    return mapped(node.data[0], arrays(args), terms)


def _derivative(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    (inner,) = args
    shift = frame.value
    for coordinate in node.args[1:]:
        shift = shift.shift(coordinate.data[1])

    def moved(term: MultiIndex) -> MultiIndex:
        return MultiIndex(tuple(a + b for a, b in zip(term.counts, shift.counts, strict=True)))

    value = inner.term(shift)
    found: dict[Term, Any] = {term: inner.parts[moved(term)] for term in terms if moved(term) in inner.parts}
    if value is None:
        value = jnp.zeros(jnp.shape(inner.value), jnp.result_type(inner.value, float))
    return Jet(value, found, inner.batched)


def _at(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    inner, *derivatives = args
    due = [term for term in sorted(terms) if moved_derivative(node, frame, term) is not None]
    parts: dict[Term, Any] = {term: jet.value for term, jet in zip(due, derivatives, strict=True)}
    return Jet(inner.value, parts, inner.batched)


def _reduce(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    values = [over_points(arg, jet, given) for arg, jet in zip(node.args, args, strict=True)]
    points = reduce.set_of(node)
    return Jet(reduce.reduced(node, values, given.counts.get(points) if points else None))


def _weight(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    cell, index = node.data
    return Jet(given.weights(cell, [jnp.asarray(jet.value) for jet in args])[index])


EVALUATE: dict[str, Callable[[Expr, Sequence[Jet], Terms, Frame, Given], Jet]] = {
    "constant": _constant,
    "parameter": _parameter,
    "coordinate": _coordinate,
    "normal": _normal,
    "field": _field,
    "elementwise": _elementwise,
    "event": _event,
    "index": _index,
    "apply": _apply,
    "derivative": _derivative,
    "at": _at,
    "reduce": _reduce,
    "weight": _weight,
}
