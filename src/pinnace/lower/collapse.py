"""Residuals in terms of functionals: u_t - nu u_xx becomes one thing to ask of u, however it is spelled.

A functional is found among the summands of a linear combination that differentiate one atom. What its coefficients
have in common is taken out: (1 + u^2) (u_xx + u_yy) asks for u_xx + u_yy. Coefficients that are left must be known
before the atom is differentiated, so they must not be made of the same field. Whether a functional travels as one
term is decided later (`require`), when it is known what else is needed; each node holds the plain sum too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import add, and_

from pinnace.expr import MEASURED, Expr, as_expr, nodes
from pinnace.expr.text import postorder
from pinnace.lower.components import Unstack
from pinnace.lower.linear import Form, Summand, alone, differentiated, form, product
from pinnace.lower.terms import MultiIndex

OPAQUE = ("derivative", "field", "apply", "trace", *MEASURED)
"""Kinds below which nothing is rewritten."""

Coefficient = tuple[float, Expr | None]


def collapsed(roots: Sequence[Expr], known: frozenset[Expr] = frozenset()) -> tuple[Expr, ...]:
    """The roots with functionals in the place of sums of derivatives; what is known already stays as it is."""
    unstack = Unstack(known)
    plain = tuple(map(unstack, roots))
    forms: dict[Expr, Form] = {}
    for node in postorder(plain, lambda node: () if node in known else node.args):
        forms[node] = alone(node) if node in known else form(node, forms)
    rewrite = _Rewrite(forms, known)
    return tuple(map(rewrite, plain))


class _Rewrite:
    """Each node as it is, or as a combination of functionals where it is one; from the roots down."""

    def __init__(self, forms: Mapping[Expr, Form], known: frozenset[Expr]) -> None:
        self._forms = forms
        self._combined: dict[Expr, tuple[list[Expr], Callable[[list[Expr]], Expr]] | None] = dict.fromkeys(known)
        self._done: dict[Expr, Expr] = {node: node for node in known}

    def __call__(self, root: Expr) -> Expr:
        for node in postorder([root], self._inside):
            if node in self._done:
                continue
            inner = [self._done[arg] for arg in self._inside(node)]
            combination = self._combination(node)
            if combination is not None:
                self._done[node] = combination[1](inner)
            elif tuple(inner) == node.args or not inner:
                self._done[node] = node
            else:
                self._done[node] = Expr(node.kind, tuple(inner), node.data)
        return self._done[root]

    def _inside(self, node: Expr) -> tuple[Expr, ...]:
        """What is rewritten in its turn: nothing below a derivative, which would differentiate a functional."""
        combination = self._combination(node)
        if combination is not None:
            return tuple(combination[0])
        return () if node in self._done or node.kind in OPAQUE else node.args

    def _combination(self, node: Expr) -> tuple[list[Expr], Callable[[list[Expr]], Expr]] | None:
        if node not in self._combined:
            self._combined[node] = _combination(self._forms.get(node, ()), node)
        return self._combined[node]


def _combination(found: Form, node: Expr) -> tuple[list[Expr], Callable[[list[Expr]], Expr]] | None:
    """What is left of a combination beside its functionals, to be rewritten, and how to put it together again."""
    found = _merged(found)
    by_atom: dict[Expr, list[Summand]] = {}
    for summand in found:
        if summand.index.order:
            by_atom.setdefault(summand.atom, []).append(summand)
    travelling: list[tuple[Expr, ...]] = []
    taken: set[int] = set()
    for atom, summands in by_atom.items():
        for group in _groups(atom, summands):
            travelling.append(_functional(atom, group))
            taken.update(map(id, group))
    if not travelling:
        return None
    rest = [summand for summand in found if id(summand) not in taken]
    loose = [part for summand in rest for part in (*summand.factors, summand.expr())]
    outer = [factor for whole in travelling for factor in whole[1:]]

    def together(inner: list[Expr]) -> Expr:
        parts = iter(inner)
        sums = []
        for functional, *factors in travelling:
            sums.append(product(1.0, [next(parts) for _ in factors], functional))
        for summand in rest:
            factors = [next(parts) for _ in summand.factors]
            sums.append(product(summand.number, factors, next(parts)))
        return reduce(add, sums)

    return [*outer, *loose], together


def _groups(atom: Expr, summands: list[Summand]) -> Iterable[list[Summand]]:
    """Summands that one functional takes together: all with coefficients known beforehand, else those of one factor."""
    if any(node.kind in ("at", "integral", "trace") for node in nodes([atom])):
        return
    fields = {node for node in nodes([atom]) if node.kind in ("field", "apply")}
    buckets: dict[frozenset[Expr], list[Summand]] = {}
    for summand in summands:
        late = frozenset(factor for factor in summand.factors if not _known_before(factor, fields))
        buckets.setdefault(late, []).append(summand)
    for bucket in buckets.values():
        highest = [one for one in bucket if not any(_below(one, other) for other in bucket)]
        if len({one.index for one in highest}) > 1:
            yield highest


def _known_before(factor: Expr, fields: set[Expr]) -> bool:
    late = ("reduce", "weight", "point weight", *MEASURED)
    return not factor.shape and not any(node in fields or node.kind in late for node in nodes([factor]))


def _below(one: Summand, other: Summand) -> bool:
    return one.index != other.index and one.index.within(other.index)


def _functional(atom: Expr, group: list[Summand]) -> tuple[Expr, ...]:
    """The functional of a group as an expression, and the factors before it.

    The largest number is 1, so that multiples of one operator are one.
    """
    shared = list(reduce(and_, (Counter(one.factors) for one in group)).elements())
    coefficients: dict[MultiIndex, list[tuple[float, list[Expr]]]] = {}
    for one in sorted(group, key=lambda one: one.index.rank):
        left = list(one.factors)
        for factor in shared:
            left.remove(factor)
        coefficients.setdefault(one.index, []).append((one.number, left))
    summed = {index: _summed(parts) for index, parts in coefficients.items()}
    scale = max((number for number, _ in summed.values()), key=abs)
    slots = list(dict.fromkeys(slot for _, slot in summed.values() if slot is not None))
    parts = [
        (index, number / scale, -1 if slot is None else slots.index(slot)) for index, (number, slot) in summed.items()
    ]
    plain = [product(number, [] if k < 0 else [slots[k]], differentiated(atom, index)) for index, number, k in parts]
    functional = Expr("functional", (reduce(add, plain), atom, *slots), tuple(parts))
    return functional, *(() if scale == 1 else (as_expr(scale),)), *shared


def _summed(parts: list[tuple[float, list[Expr]]]) -> Coefficient:
    """The sum of several coefficients of one derivative, as a number and what it multiplies."""
    if len(parts) == 1:
        number, factors = parts[0]
        return number, product(1.0, factors) if factors else None
    return 1.0, reduce(add, [product(number, factors) for number, factors in parts])


def _merged(found: Form) -> Form:
    """The combination with equal summands as one, none of them zero."""
    numbers: dict[tuple, float] = {}
    first: dict[tuple, Summand] = {}
    for summand in found:
        key = (summand.atom, summand.index, frozenset(Counter(summand.factors).items()))
        numbers[key] = numbers.get(key, 0.0) + summand.number
        first.setdefault(key, summand)
    return tuple(replace(first[key], number=number) for key, number in numbers.items() if number)
