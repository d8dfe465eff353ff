"""Bottom-up: each node's value together with exactly the derivatives that are needed, in one forward propagation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from pinnace._errors import LoweringError
from pinnace.expr import Expr, Noise, PointSet, text
from pinnace.lower import reduce
from pinnace.lower.directions import together
from pinnace.lower.frame import Frame, along, estimated
from pinnace.lower.guard import check_reversible
from pinnace.lower.interpret import Inspect, propagate
from pinnace.lower.jet import Jet, spread
from pinnace.lower.recompute import in_segments
from pinnace.lower.require import Plan, moved_derivative
from pinnace.lower.terms import Asked, MultiIndex, Term, ordered
from pinnace.net import dtype_of
from pinnace.optim import Trainable

Terms = Sequence[Asked]


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
    chance: Any = None
    """The random key of this step, for what is estimated; with the number of each noise."""
    noises: Mapping[Noise, int] = field(default_factory=dict)
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
        terms = ordered(plan.needs[key])
        values = {slot: jets[plan.slots[slot]].value for term in terms for slot in term.slots}
        jets[key] = EVALUATE[node.kind](node, args, [term.bind(values) for term in terms], frame, given)
    return [over_points(root, jets[frame, root], given) for frame, root in plan.roots]


def over_points(node: Expr, jet: Jet, given: Given) -> Any:
    """The value with one row a point, also where all rows are the same."""
    if node.points is None or jet.batched:
        return jnp.asarray(jet.value)
    return jnp.broadcast_to(jet.value, (len(given.points[node.points]), *node.shape))


def mapped(function: Callable[..., Any], args: Sequence[Jet], terms: Terms, inspect: Inspect | None = None) -> Jet:
    """A function of one point over all points; what is the same at all of them enters once."""
    numbers = {k: jet for k, jet in enumerate(args) if isinstance(jet.value, (bool, int, float))}
    slots = {slot: term.values[slot] for term in terms for slot in term.slots}

    def at_point(moving: list[Jet], values: dict[int, Any]) -> Jet:
        rest = iter(moving)
        jets = [numbers[k] if k in numbers else replace(next(rest), batched=False) for k in range(len(args))]
        return together(function, jets, [term.bind(values) for term in terms], inspect)[0]

    moving = [jet for k, jet in enumerate(args) if k not in numbers]
    axes = [_point_axes(jet) for jet in moving], {slot: 0 if jnp.ndim(value) else None for slot, value in slots.items()}
    if not any(jet.batched for jet in moving):
        return at_point(moving, slots)
    return replace(jax.vmap(at_point, axes)(moving, slots), batched=True)


def _point_axes(jet: Jet) -> Any:
    """Which arrays of a jet run over the points."""
    whole = jnp.ndim(jet.value)
    return jax.tree.map(lambda array: 0 if jet.batched and jnp.ndim(array) == whole else None, jet)


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
    if frame.base is not None:
        return _scattered(node, args[0], terms, frame, given)
    batched = args[0].batched if args else True
    value = jnp.asarray(args[0].value, jnp.result_type(float)) if args else given.points[points][:, axis]
    units = {term: term.unit(axis) for term in terms}
    parts: dict[Term, Any] = {
        term: np.asarray(unit, value.dtype) if isinstance(unit, int | float) else jnp.asarray(unit, value.dtype)
        for term, unit in units.items()
        if unit is not None
    }
    return Jet(value, parts, batched)


def _scattered(node: Expr, base: Jet, terms: Terms, frame: Frame, given: Given) -> Jet:
    """A coordinate whose slopes along random directions are the components of these."""
    axis, rows = node.data[1], len(given.points[node.data[0]])
    value = jnp.broadcast_to(base.value, (rows,))
    parts: dict[Any, Any] = {
        term: part if part.ndim == 0 else part[:, axis]
        for term, part in _slopes(axis, terms, frame, given, value.dtype)
    }
    return Jet(value, parts, True)


def _slopes(axis: int | None, terms: Terms, frame: Frame, given: Given, dtype: Any) -> Iterator[tuple[Asked, Any]]:
    """For each first derivative: the random directions `[n, axes]`, or 1 along a coordinate's own axis."""
    drawn = None
    for term in terms:
        if not isinstance(term, MultiIndex) or term.order != 1:
            continue
        place = term.counts.index(1)
        first = frame.axes - frame.samples
        if place >= first:
            drawn = _directions(frame, given).astype(dtype) if drawn is None else drawn
            yield term, drawn[:, place - first]
        elif place == axis:
            yield term, np.ones((), dtype)


def _directions(frame: Frame, given: Given) -> Array:
    """The random directions of a frame at each point, `[n, samples, axes]`; 0 along axes that they leave out."""
    assert frame.scattered is not None and frame.points is not None
    axes = np.array([coordinate.data[1] for coordinate in frame.scattered.args[1:]])
    key = jax.random.fold_in(given.chance, given.noises[frame.scattered.data[0]])
    drawn = jax.random.rademacher(key, (len(given.points[frame.points]), frame.samples, len(axes)), float)
    whole = len(frame.points.axes)
    return drawn if axes.tolist() == list(range(whole)) else drawn @ np.eye(whole)[axes].astype(drawn.dtype)


def _trace(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    """The mean of second derivatives along random directions."""
    inner, samples = args[0], node.data[1]
    wanted = {term: inner.parts.get(estimated(frame.scatter(node), term)) for term in (frame.value, *terms)}
    value = wanted.pop(frame.value)
    shape = jnp.shape(inner.value)
    value = jnp.zeros((), jnp.result_type(inner.value, float)) if value is None else value / samples
    parts: dict[Any, Any] = {term: part / samples for term, part in wanted.items() if part is not None}
    return Jet(jnp.broadcast_to(value, shape), parts, inner.batched)


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
    inspect = partial(check_reversible, net)
    if not scalar and frame.outer is None and all(arg.kind == "coordinate" for arg in node.args):
        axes = [arg.data[1] for arg in node.args]
        args = [_point(axes, args, terms, frame, given)]

    def at_point(*parts: Any) -> Any:
        return module(parts[0] if scalar else jnp.concatenate([jnp.atleast_1d(part) for part in parts]))

    point = [in_dtype(jet, dtype_of(module)) for jet in arrays(args)]
    return mapped(in_segments(at_point) if given.remat else at_point, point, terms, inspect)


def _point(axes: list[int], coordinates: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    """The coordinates as one vector: the point itself, taken as it lies in memory."""
    assert frame.points is not None
    points = given.points[frame.points]
    value = points if axes == list(range(points.shape[1])) else points[:, np.asarray(axes)]
    parts: dict[Any, Any] = {}
    if frame.scattered is not None:
        parts |= {term: part[:, np.asarray(axes)] for term, part in _slopes(None, terms, frame, given, value.dtype)}
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


def _elementwise(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    function = getattr(jnp, node.data[0])
    if all(arg.shape == () for arg in node.args):
        return propagate(function, [spread(arg) for arg in args], terms)[0]
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
    coordinates = node.args[1:]
    shape = jnp.shape(inner.value)
    value = inner.term(along(frame.value, coordinates))
    if value is None:
        value = jnp.zeros(shape, jnp.result_type(inner.value, float))
    found = {term: inner.term(along(term, coordinates)) for term in terms}
    parts: dict[Any, Any] = {term: part for term, part in found.items() if part is not None}
    return Jet(jnp.broadcast_to(value, shape), parts, inner.batched)


def _functional(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    """The one term that travelled; or the plain sum, with what is needed of it."""
    inner = args[0]
    if node not in frame.travelling:
        return inner
    shape = jnp.shape(inner.value)
    value = inner.parts.get(frame.travelling[node], jnp.zeros((), jnp.result_type(inner.value, float)))
    return Jet(jnp.broadcast_to(value, shape), {}, inner.batched)


def _at(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    inner, *derivatives = args
    due = [term for term in terms if moved_derivative(node, frame, term) is not None]
    parts: dict[Any, Any] = {term: jet.value for term, jet in zip(due, derivatives, strict=True)}
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
    "functional": _functional,
    "trace": _trace,
    "at": _at,
    "reduce": _reduce,
    "weight": _weight,
}
