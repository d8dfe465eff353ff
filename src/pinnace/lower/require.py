"""Top-down: which derivatives each node must deliver so that what is asked of the roots can be computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pinnace.expr import Expr
from pinnace.expr.text import postorder
from pinnace.lower.frame import Frame, Frames, along
from pinnace.lower.terms import MultiIndex, closed

Key = tuple[Frame, Expr]
Terms = frozenset[MultiIndex]


@dataclass(frozen=True)
class Plan:
    """What to compute, in an order in which arguments come first."""

    roots: tuple[Key, ...]
    order: tuple[Key, ...]
    needs: dict[Key, Terms]
    arguments: dict[Key, tuple[Key, ...]]


def require(roots: Sequence[Expr], known: frozenset[Expr] = frozenset()) -> Plan:
    """The plan for the values of the roots; what is known needs nothing.

    A node that comes to need more passes it on to its arguments until nothing grows; closed sets of terms make
    sure that products and compositions find what their rules ask for.
    """
    frames = Frames()
    keys = tuple((frames.settle(frames.plain(root.points), root), root) for root in roots)
    needs: dict[Key, Terms] = {}
    arguments: dict[Key, tuple[Key, ...]] = {}
    waiting = [(key, frozenset([key[0].value])) for key in reversed(keys)]
    while waiting:
        key, wanted = waiting.pop()
        before = needs.get(key)
        if before is not None and wanted <= before:
            continue
        frame, node = key
        needs[key] = wanted | (before or frozenset())
        once = frozenset([frames.plain(None).value])
        passed = [
            ((frames.settle(inner, arg), arg), terms if arg.points is not None else once)
            for inner, arg, terms in (() if node in known else REQUIRE[node.kind](frames, frame, node, needs[key]))
        ]
        arguments[key] = tuple(arg for arg, _ in passed)
        waiting.extend(reversed(passed))
    return Plan(keys, tuple(postorder(keys, arguments.__getitem__)), needs, arguments)


Passed = list[tuple[Frame, Expr, Terms]]


def _nothing(frames: Frames, frame: Frame, node: Expr, terms: Terms) -> Passed:
    return []


def _all(frames: Frames, frame: Frame, node: Expr, terms: Terms) -> Passed:
    return [(frame, arg, terms) for arg in node.args]


def _derivative(frames: Frames, frame: Frame, node: Expr, terms: Terms) -> Passed:
    inner, *coordinates = node.args
    return [(frame, inner, closed(along(term, coordinates) for term in terms))]


def _values(frames: Frames, frame: Frame, node: Expr, terms: Terms) -> Passed:
    at_points = [(frames.plain(arg.points), arg) for arg in node.args]
    return [(inner, arg, frozenset([inner.value])) for inner, arg in at_points]


def _coordinate(frames: Frames, frame: Frame, node: Expr, terms: Terms) -> Passed:
    if frame.outer is None:
        return []
    return [(frame.outer, frame.moved.get(node.data, node), frozenset([frame.outer.value]))]


def _at(frames: Frames, frame: Frame, node: Expr, terms: Terms) -> Passed:
    """The value from inside the moved frame; derivatives by the chain rule, written as expressions."""
    inner = frames.inner(frame, node)
    symbolic = [moved_derivative(node, frame, term) for term in sorted(terms) if term.order]
    values = [(frame, expr, frozenset([frame.value])) for expr in symbolic if expr is not None]
    return [(inner, node.args[0], frozenset([inner.value])), *values]


def moved_derivative(node: Expr, frame: Frame, term: MultiIndex) -> Expr | None:
    """The derivative of an `at` node as an expression; None where it is zero."""
    expr: Expr | None = node
    for axis, count in enumerate(term.counts):
        for _ in range(count):
            expr = None if expr is None else _chain(expr, Expr("coordinate", (), (frame.points, axis)))
    return expr


def _chain(expr: Expr, coordinate: Expr) -> Expr | None:
    """d/dx of e.at({y: g}) = (d e/dx).at(...) where x stays + sum of (d e/dy).at(...) * dg/dx; of sums of such."""
    if coordinate.data not in expr.depends:
        return None
    if expr.kind != "at":
        return expr.d(coordinate)
    inner, old, new = expr.args[0], expr.args[1::2], expr.args[2::2]
    moves = expr.args[1:]
    parts = []
    if coordinate.data in inner.depends and coordinate not in old:
        parts.append(Expr("at", (inner.d(coordinate), *moves)))
    for before, after in zip(old, new, strict=True):
        if before.data in inner.depends and coordinate.data in after.depends:
            parts.append(Expr("at", (inner.d(before), *moves)) * after.d(coordinate))
    return sum(parts[1:], start=parts[0]) if parts else None


REQUIRE: dict[str, Callable[[Frames, Frame, Expr, Terms], Passed]] = {
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
    "at": _at,
    "reduce": _values,
    "weight": _values,
}
