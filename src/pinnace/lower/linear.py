"""What an expression is as a linear combination of derivatives: sum of number * factors * derivative of an atom."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite

from pinnace.expr import Expr, as_expr
from pinnace.lower.terms import MultiIndex, value_of

MOST = 2048
"""Summands in the longest combination that is looked into."""


@dataclass(frozen=True)
class Summand:
    """number * product of factors * one derivative of an atom: something that no sum or derivative leads into."""

    number: float
    factors: tuple[Expr, ...]
    atom: Expr
    index: MultiIndex

    def expr(self) -> Expr:
        """The summand without its number and factors, as an expression."""
        return differentiated(self.atom, self.index)


Form = tuple[Summand, ...]


def differentiated(atom: Expr, index: MultiIndex) -> Expr:
    """The derivative of an atom as an expression."""
    axes = [axis for axis, count in enumerate(index.counts) for _ in range(count)]
    return atom.d(*(Expr("coordinate", (), (atom.points, axis)) for axis in axes)) if axes else atom


def alone(node: Expr) -> Form:
    """A node as an atom of its own."""
    return (Summand(1.0, (), node, value_of(len(node.points.axes) if node.points else 0)),)


def form(node: Expr, known: Mapping[Expr, Form]) -> Form:
    """The combination that a node is, from those of its arguments."""
    rule = FORMS.get(node.data[0] if node.kind == "elementwise" else node.kind)
    found = None if rule is None else rule(node, [known[arg] for arg in node.args])
    return alone(node) if found is None or len(found) > MOST else found


def _moving(form: Form) -> bool:
    """Whether derivatives occur in a combination."""
    return any(summand.index.order for summand in form)


def _times(form: Form, number: float, factors: tuple[Expr, ...] = ()) -> Form:
    scaled = (replace(one, number=number * one.number, factors=(*factors, *one.factors)) for one in form)
    return tuple(one for one in scaled if one.number)


def _coefficient(node: Expr) -> tuple[float, tuple[Expr, ...]]:
    """What multiplies as a number and factors, products taken apart."""
    number, factors, waiting = 1.0, [], [node]
    while waiting:
        part = waiting.pop()
        name = part.data[0] if part.kind == "elementwise" else part.kind
        if name == "constant" and not part.shape:
            number *= part.data[0]
        elif name == "multiply" and not part.shape:
            waiting += reversed(part.args)
        elif name == "negative" and not part.shape:
            number, waiting = -number, [*waiting, *part.args]
        else:
            factors.append(part)
    return number, tuple(factors)


def _add(node: Expr, forms: list[Form]) -> Form | None:
    return forms[0] + forms[1] if _same_shape(node) else None


def _subtract(node: Expr, forms: list[Form]) -> Form | None:
    return forms[0] + _times(forms[1], -1.0) if _same_shape(node) else None


def _same_shape(node: Expr) -> bool:
    """Whether the atoms of all summands have the shape of the sum."""
    return all(arg.shape == node.shape for arg in node.args)


def _negative(node: Expr, forms: list[Form]) -> Form:
    return _times(forms[0], -1.0)


def _multiply(node: Expr, forms: list[Form]) -> Form | None:
    left, right = node.args
    for factor, rest in ((left, 1), (right, 0)):
        if factor.shape == () and not _moving(forms[1 - rest]) and (factor.points is None or _moving(forms[rest])):
            return _times(forms[rest], *_coefficient(factor))
    return None


def _divide(node: Expr, forms: list[Form]) -> Form | None:
    bottom, (inner, under) = node.args[1], forms
    if bottom.shape or _moving(under) or not (bottom.points is None or _moving(inner)):
        return None
    number, factors = _coefficient(bottom)
    if factors:
        return _times(inner, 1.0, (1.0 / bottom,))
    return _times(inner, 1.0 / number) if number and isfinite(1.0 / number) else None


def _derivative(node: Expr, forms: list[Form]) -> Form | None:
    found = forms[0]
    for coordinate in node.args[1:]:
        if any(_aside(summand, coordinate) for summand in found):
            return None
        found = tuple(part for summand in found for part in _slopes(summand, coordinate))
    return found


def _aside(summand: Summand, coordinate: Expr) -> bool:
    """Whether an atom depends on a coordinate that is not of its own set: a symbol, beside points."""
    return coordinate.data in summand.atom.depends and coordinate.points is not summand.atom.points


def _slopes(summand: Summand, coordinate: Expr) -> Iterable[Summand]:
    """The product rule."""
    for k, factor in enumerate(summand.factors):
        if coordinate.data in factor.depends:
            slope = (*summand.factors[:k], factor.d(coordinate), *summand.factors[k + 1 :])
            yield replace(summand, factors=slope)
    if coordinate.data in summand.atom.depends:
        yield replace(summand, index=summand.index.shift(coordinate.data[1]))


def _index(node: Expr, forms: list[Form]) -> Form:
    (place,) = node.data
    return tuple(replace(summand, atom=Expr("index", (summand.atom,), (place,))) for summand in forms[0])


FORMS: Mapping[str, Callable[[Expr, list[Form]], Form | None]] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "derivative": _derivative,
    "index": _index,
}
"""What sums, products with coefficients and derivatives make of combinations; None where it is none."""


def product(number: float, factors: Iterable[Expr], last: Expr | None = None) -> Expr:
    """number * factors * last as an expression."""
    found: Expr | None = None
    for factor in (*factors, *(() if last is None else (last,))):
        found = factor if found is None else found * factor
    if found is None:
        return as_expr(number)
    return found if number == 1 else -found if number == -1 else number * found
