"""Top-down: which derivatives each node must deliver so that what is asked of the roots can be computed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pinnace._errors import LoweringError
from pinnace.expr import MEASURED, Expr, text
from pinnace.expr.text import postorder
from pinnace.lower.collapse import collapsed
from pinnace.lower.frame import Frame, Frames, abscissas, along, estimated
from pinnace.lower.functional import Functional, Part
from pinnace.lower.loops import Loops, loops_of
from pinnace.lower.terms import MultiIndex, Term, closed, ordered

Key = tuple[Frame, Expr]
Terms = frozenset[Term]
Asked = dict[Key, dict[Term, None]]
"""What each node is asked for, in order; what this needs in its turn is left out."""


@dataclass(frozen=True)
class Plan:
    """What to compute, in an order in which arguments come first."""

    roots: tuple[Key, ...]
    order: tuple[Key, ...]
    needs: dict[Key, Terms]
    arguments: dict[Key, tuple[Key, ...]]
    slots: tuple[Key, ...]
    """The coefficients of functionals, which are evaluated before what carries these."""

    @cached_property
    def loops(self) -> Loops:
        """What is evaluated once, and what at each node of the integrals."""
        return loops_of(self.order, self.arguments, self.before)

    def before(self, key: Key) -> tuple[Key, ...]:
        """What is evaluated before a node: the coefficients of what it carries, and its arguments."""
        coefficients = (self.slots[slot] for term in ordered(self.needs[key]) for slot in sorted(term.slots))
        return (*coefficients, *self.arguments[key])


def require(roots: Sequence[Expr], known: frozenset[Expr] = frozenset()) -> Plan:
    """The plan for the values of the roots; what is known needs nothing.

    Functionals travel as one term where that makes fewer terms in all than their parts.
    """
    frames, nodes = Frames(), collapsed(roots, known)
    keys = tuple((frames.settle(frames.plain(node.points), node), node) for node in nodes)
    declined: set[tuple[Frame, Functional]] = set()
    while True:
        before = len(declined)
        asked, arguments = _asked(frames, keys, declined, known)
        declined |= _too_dear(asked)
        if len(declined) == before:
            break
    needs = {key: closed(terms) for key, terms in asked.items()}
    plan = Plan(keys, (), needs, arguments, frames.slots)
    return replace(plan, order=tuple(postorder(keys, plan.before)))


def _asked(
    frames: Frames, roots: Sequence[Key], declined: set[tuple[Frame, Functional]], known: frozenset[Expr]
) -> tuple[Asked, dict[Key, tuple[Key, ...]]]:
    """What every node is asked for: one that comes to need more passes it on until nothing grows."""
    asked: Asked = {}
    arguments: dict[Key, tuple[Key, ...]] = {}
    for frame in frames:
        frame.travelling.clear()
    waiting: list[tuple[Key, Iterable[Term]]] = [(key, (key[0].value,)) for key in reversed(roots)]
    while waiting:
        key, wanted = waiting.pop()
        held = asked.setdefault(key, {})
        new = [term for term in wanted if term not in held]
        if key in arguments and not new:
            continue
        frame, node = key
        held.update(dict.fromkeys(new))
        if node.kind == "functional":
            _settle(frames, frame, node, held, declined)
        once = (frames.plain(None).value,)
        needed = [] if node in known else REQUIRE[node.kind](frames, frame, node, tuple(held))
        passed = [
            ((frames.settle(inner, arg), arg), terms if arg.points is not None else once)
            for inner, arg, terms in needed
        ]
        arguments[key] = tuple(arg for arg, _ in passed)
        waiting.extend(reversed(passed))
    return asked, arguments


def _settle(
    frames: Frames, frame: Frame, node: Expr, held: Iterable[Term], declined: set[tuple[Frame, Functional]]
) -> None:
    """Whether a functional travels: unless it has been declined, or is to be differentiated further."""
    slots = [frames.slot(frame, coefficient) for coefficient in node.args[2:]]
    parts = (
        Part(frame.embedded(node.args[1].points, index), number, None if k < 0 else slots[k])
        for index, number, k in node.data
    )
    functional = Functional(tuple(parts))
    if any(term.order for term in held):
        declined.add((frame, functional))
    if (frame, functional) not in declined:
        frame.travelling[node] = functional
    elif node in frame.travelling:
        del frame.travelling[node]


def _too_dear(asked: Asked) -> set[tuple[Frame, Functional]]:
    """The functionals that make more terms of the fields, or as many, as their parts would, or that none gets."""
    found: set[tuple[Frame, Functional]] = set()
    fields = [(key[0], terms) for key, terms in asked.items() if key[1].kind in ("field", "apply")]
    for frame in dict.fromkeys(key[0] for key in asked):
        here = [tuple(terms) for where, terms in fields if where is frame]
        travelling = dict.fromkeys(frame.travelling.values())
        kept = [functional for functional in travelling if any(functional in terms for terms in here)]
        for functional in tuple(kept):
            others = [other for other in kept if other != functional]
            if _cost(here, others) <= _cost(here, kept):
                kept = others
        if _cost(here, ()) <= _cost(here, kept):
            kept = []
        found |= {(frame, functional) for functional in travelling if functional not in kept}
    return found


def _cost(fields: Sequence[tuple[Term, ...]], travelling: Iterable[Term]) -> int:
    """How many terms the fields carry in all when these functionals travel and the others do not."""
    kept = set(travelling)
    return sum(len(closed(part for term in terms for part in _in_parts(term, kept))) for terms in fields)


def _in_parts(term: Term, kept: set[Term]) -> Iterable[Term]:
    return [part.index for part in term.parts] if isinstance(term, Functional) and term not in kept else [term]


Passed = list[tuple[Frame, Expr, Iterable[Term]]]


def _nothing(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    return []


def _all(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    return [(frame, arg, terms) for arg in node.args]


def _derivative(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    inner, *coordinates = node.args
    whole = closed(terms) if any(isinstance(term, Functional) for term in terms) else terms
    return [(frame, inner, [along(frame, term, coordinates) for term in sorted(whole, key=lambda term: term.rank)])]


def _functional(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    """One term of what it differentiates, after its coefficients; or the plain sum."""
    plain, atom, *coefficients = node.args
    if node not in frame.travelling:
        return [(frame, plain, terms)]
    slots = [frames.slots[frames.slot(frame, coefficient)] for coefficient in coefficients]
    return [(frame, atom, (frame.travelling[node],)), *((where, one, (where.value,)) for where, one in slots)]


def _trace(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    """The sum of second derivatives along random directions."""
    inner = frames.scattered(frame, node)
    whole = [term for term in sorted(closed(terms), key=lambda term: term.rank) if isinstance(term, MultiIndex)]
    if frame.scattered is not None or len(whole) < len(closed(terms)):
        raise LoweringError(
            f"`{text(node)}` is an estimate inside another one. Estimate the outer Laplacian only, or none of them."
        )
    if frame.symbols or (frame.points is not None and frame.points.symbolic):
        raise LoweringError(
            f"`{text(node)}` is an estimate inside an integral, and would be drawn for each of its nodes. Leave the "
            f"estimator out."
        )
    return [(inner, node.args[0], [estimated(inner, term) for term in whole])]


def _values(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    at_points = [(frames.plain(arg.points), arg) for arg in node.args]
    return [(inner, arg, (inner.value,)) for inner, arg in at_points]


def _at_its_points(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    if not frame.keeps(node.points):
        raise LoweringError(
            f"`{text(node)}` is known at the points of {node.points!r} only, and cannot be moved by `.at`. Weigh what "
            f"was moved instead: make the weights of a residual that has the `.at` inside."
        )
    return _values(frames, frame, node, terms)


def _coordinate(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    if frame.base is not None:
        return [(frame.base, node, (frame.base.value,))]
    if frame.outer is None:
        return []
    return [(frame.outer, frame.moved.get(node.data, node), (frame.outer.value,))]


def _at(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    """The value from inside the moved frame; derivatives by the chain rule, written as expressions."""
    inner = frames.inner(frame, node)
    return [(inner, node.args[0], (inner.value,)), *_derivatives(frame, node, terms)]


def _integral(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    """The value at the abscissas; derivatives by Leibniz's rule, written as expressions."""
    inner = frames.inner(frame, node)
    limits = (*abscissas(node), *node.args[2::3], *node.args[3::3])
    values = [(frame, one, (frame.value,)) for one in limits]
    return [(inner, node.args[0], (inner.value,)), *values, *_derivatives(frame, node, terms)]


def _derivatives(frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    if frame.scattered is not None:
        raise LoweringError(
            f"`{text(node)}` moves its coordinates, so the Laplacian `{text(frame.scattered)}` of it cannot be "
            f"estimated. Leave the estimator out, or move the estimate: laplacian(...).at(...)."
        )
    symbolic = [moved_derivative(node, frame, term) for term in ordered(closed(terms))]
    return [(frame, expr, (frame.value,)) for expr in symbolic if expr is not None]


def _abscissa(frames: Frames, frame: Frame, node: Expr, terms: Sequence[Term]) -> Passed:
    return [(frame, limit, (frame.value,)) for limit in node.args]


def moved_derivative(node: Expr, frame: Frame, term: Term) -> Expr | None:
    """The derivative of what moves coordinates, as an expression; None where it is zero. No functional comes here."""
    expr: Expr | None = node
    if not isinstance(term, MultiIndex):
        raise TypeError(f"{term} was asked of `{node}`, which moves its coordinates")
    for axis, count in enumerate(term.counts):
        for _ in range(count):
            expr = None if expr is None else _slope(expr, Expr("coordinate", (), frame.own[axis]))
    return expr


def _slope(expr: Expr, coordinate: Expr) -> Expr | None:
    if coordinate.data not in expr.depends:
        return None
    parts = SLOPES[expr.kind](expr, coordinate) if expr.kind in SLOPES else [expr.d(coordinate)]
    return sum(parts[1:], start=parts[0]) if parts else None


def _chain(expr: Expr, coordinate: Expr) -> list[Expr]:
    """d/dx of e.at({y: g}): (d e/dx).at(...) where x stays, and (d e/dy).at(...) * dg/dx for each y."""
    inner, old, new = expr.args[0], expr.args[1::2], expr.args[2::2]
    moves = expr.args[1:]
    parts = []
    if coordinate.data in inner.depends and coordinate not in old:
        parts.append(Expr("at", (inner.d(coordinate), *moves)))
    for before, after in zip(old, new, strict=True):
        if before.data in inner.depends and coordinate.data in after.depends:
            parts.append(Expr("at", (inner.d(before), *moves)) * after.d(coordinate))
    return parts


def _leibniz(expr: Expr, coordinate: Expr) -> list[Expr]:
    """d/dx of the integral of e from a to b: that of d e/dx, and e at b times db/dx, less e at a times da/dx."""
    inner, old, low, high = expr.args[:4]
    parts = []
    if coordinate.data in inner.depends and coordinate not in expr.args[1::3]:
        parts.append(Expr("integral", (inner.d(coordinate), *expr.args[1:]), expr.data))
    if coordinate.data in high.depends:
        parts.append(inner.at({old: high}) * high.d(coordinate))
    if coordinate.data in low.depends:
        parts.append(-inner.at({old: low}) * low.d(coordinate))
    return parts


SLOPES: dict[str, Callable[[Expr, Expr], list[Expr]]] = {"at": _chain, "integral": _leibniz}
"""What the derivative of something that moves coordinates is the sum of."""


REQUIRE: dict[str, Callable[[Frames, Frame, Expr, Sequence[Term]], Passed]] = {
    "constant": _nothing,
    "parameter": _nothing,
    "normal": _nothing,
    "coordinate": _coordinate,
    "field": _all,
    "elementwise": _all,
    "event": _all,
    "index": _all,
    "apply": _all,
    "derivative": _derivative,
    "functional": _functional,
    "trace": _trace,
    "at": _at,
    "integral": _integral,
    "abscissa": _abscissa,
    "reduce": _values,
    "weight": _values,
    "point weight": _at_its_points,
    **dict.fromkeys(MEASURED, _nothing),
}
