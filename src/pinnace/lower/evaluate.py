"""Bottom-up: each node's value together with exactly the derivatives that are needed, in one forward propagation."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from pinnace._errors import LoweringError
from pinnace.expr import MEASURED, Expr, text
from pinnace.lower import reduce
from pinnace.lower.fields import field
from pinnace.lower.frame import Frame, along, estimated
from pinnace.lower.given import Given
from pinnace.lower.interpret import propagate
from pinnace.lower.jet import Jet, spread
from pinnace.lower.loops import Loop
from pinnace.lower.mapped import arrays, mapped
from pinnace.lower.quadrature import abscissa, integrated
from pinnace.lower.require import Key, Plan, moved_derivative
from pinnace.lower.scatter import scattered
from pinnace.lower.terms import Asked, Term, ordered

Terms = Sequence[Asked]


def evaluate(plan: Plan, given: Given) -> list[Any]:
    """The values of the roots of a plan: arrays `[n, *shape]`, or `[*shape]` for what has one value in all."""
    jets: dict[Any, Jet] = {}
    _fill(jets, plan.loops.outside, plan, given)
    return [over_points(root, jets[frame, root], given) for frame, root in plan.roots]


def _fill(jets: dict[Any, Jet], order: Sequence[Key], plan: Plan, given: Given) -> None:
    """Evaluate what is in order; what runs over nodes gets what it runs as a function of its abscissas."""
    for key in order:
        frame, node = key
        if node in given.known:
            jets[key] = Jet(given.known[node], {}, node.points is not None)
            continue
        loop = plan.loops.inside.get(key)
        within = () if loop is None else loop.within
        args: list[Any] = [jets[arg] for arg in plan.arguments[key] if arg not in within]
        if loop is not None:
            args.insert(0, partial(_inside, loop, jets, plan))
        terms = ordered(plan.needs[key])
        values = {slot: jets[plan.slots[slot]].value for term in terms for slot in term.slots}
        jets[key] = EVALUATE[node.kind](node, args, [term.bind(values) for term in terms], frame, given)


def _inside(loop: Loop, jets: dict[Any, Jet], plan: Plan, abscissas: Sequence[Jet], given: Given) -> Jet:
    """What a loop runs, for values of its abscissas."""
    here = {**jets, **dict(zip(loop.abscissas, abscissas, strict=True))}
    _fill(here, loop.order, plan, given)
    return here[loop.root]


def over_points(node: Expr, jet: Jet, given: Given) -> Any:
    """The value with one row a point, also where all rows are the same; of a symbol there are no points."""
    if node.points is None or jet.batched or node.points not in given.points:
        return jnp.asarray(jet.value)
    return jnp.broadcast_to(jet.value, (len(given.points[node.points]), *node.shape))


def _constant(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    value = node.data[0]
    return Jet(value if isinstance(value, (bool, int, float)) else jnp.asarray(value))


def _parameter(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    return Jet(given.modules[node.data[0]]())


def _coordinate(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    points, axis = node.data
    if frame.base is not None:
        return scattered(node, args[0], terms, frame, given)
    batched = args[0].batched if args else True
    value = jnp.asarray(args[0].value, jnp.result_type(float)) if args else given.points[points][:, axis]
    direction = frame.direction(node)
    units = {} if direction is None else {term: term.unit(direction) for term in terms}
    parts: dict[Term, Any] = {
        term: np.asarray(unit, value.dtype) if isinstance(unit, int | float) else jnp.asarray(unit, value.dtype)
        for term, unit in units.items()
        if unit is not None
    }
    return Jet(value, parts, batched)


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
    if terms or not frame.keeps(node.points):
        raise LoweringError(
            f"`{text(node)}` is known at the points of the boundary only: it cannot be differentiated, nor moved by "
            f"`.at`. Multiply derivatives by it, as in `nx * u.d(x) + ny * u.d(y)`."
        )
    points, axis = node.data
    return Jet(points.plan.normals(given.points[points])[:, axis], {}, True)


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
    value = inner.term(along(frame, frame.value, coordinates))
    if value is None:
        value = jnp.zeros(shape, jnp.result_type(inner.value, float))
    found = {term: inner.term(along(frame, term, coordinates)) for term in terms}
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
    return Jet(inner.value, _due(node, derivatives, terms, frame), inner.batched)


def _integral(node: Expr, args: Sequence[Any], terms: Terms, frame: Frame, given: Given) -> Jet:
    inside, *rest = args
    ends, derivatives = rest[: 2 * len(node.args[1::3])], rest[2 * len(node.args[1::3]) :]
    found = integrated(node, inside, ends, frame, given)
    return replace(found, parts=_due(node, derivatives, terms, frame))


def _due(node: Expr, derivatives: Sequence[Jet], terms: Terms, frame: Frame) -> dict[Any, Any]:
    """The derivatives of what moves coordinates, from the values of their expressions."""
    due = [term for term in terms if moved_derivative(node, frame, term) is not None]
    return {term: jet.value for term, jet in zip(due, derivatives, strict=True)}


def _reduce(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    values = [over_points(arg, jet, given) for arg, jet in zip(node.args, args, strict=True)]
    points = reduce.set_of(node)
    return Jet(reduce.reduced(node, values, given.counts.get(points) if points else None))


def _weight(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    cell, index = node.data
    values = [over_points(arg, jet, given) for arg, jet in zip(node.args, args, strict=True)]
    pairs = zip(node.args, values, strict=True)
    real = [value[: _count(arg, given)] if arg.points else value for arg, value in pairs]
    return Jet(given.weights(cell, real)[index])


def _count(node: Expr, given: Given) -> int | None:
    """How many rows are points of their own; None where all are."""
    return given.counts.get(node.points) if node.points else None


def _point_weight(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    values = [over_points(arg, jet, given) for arg, jet in zip(node.args, args, strict=True)]
    return Jet(weighed(node, values, given), {}, True)


def weighed(node: Expr, values: Sequence[Array], given: Given) -> Array:
    """The weights of points from the values there; copies of points, which only fill up a set, get a copy."""
    count, rows = _count(node, given), len(values[0])
    found = given.weights(node.data[0], [value[:count] for value in values])
    found = found if count is None else found[jnp.arange(rows) % count]
    return found.astype(values[0].dtype)


def _measured(node: Expr, args: Sequence[Jet], terms: Terms, frame: Frame, given: Given) -> Jet:
    if given.measure is None:
        raise LoweringError(f"`{text(node)}` is known to trackers and crux.eval only.")
    return Jet(given.measure(node))


EVALUATE: dict[str, Callable[[Expr, Sequence[Jet], Terms, Frame, Given], Jet]] = {
    "constant": _constant,
    "parameter": _parameter,
    "coordinate": _coordinate,
    "normal": _normal,
    "field": field,
    "elementwise": _elementwise,
    "event": _event,
    "index": _index,
    "apply": _apply,
    "derivative": _derivative,
    "functional": _functional,
    "trace": _trace,
    "at": _at,
    "integral": _integral,
    "abscissa": abscissa,
    "reduce": _reduce,
    "weight": _weight,
    "point weight": _point_weight,
    **dict.fromkeys(MEASURED, _measured),
}
