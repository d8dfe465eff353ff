"""Vectors that were stacked from numbers, taken apart again: `hessian(u, [x, y])[0, 0]` is `u.dd(x)`.

Only what ends in a number is taken apart; vectors that stay vectors are left as they were written.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pinnace.expr import Expr, as_expr, replace

MOST = 4096
"""Components in the largest vector that is taken apart."""

PRODUCTS = 1024
"""Products in the longest one that is written out: beyond, one array is better than many numbers."""

ACROSS = frozenset("stack concatenate sum mean dot matmul transpose cross".split())
"""Functions of the components that are sums of products of them."""

ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    name: getattr(np, name) for name in ("add", "subtract", "multiply", "divide", "negative")
}


class Unstack:
    """Numbers made of stacked components, written in terms of these; remembers what it has taken apart."""

    def __init__(self, kept: frozenset[Expr] = frozenset()) -> None:
        self._kept = kept
        self._known: dict[Expr, np.ndarray | None] = {}

    def __call__(self, root: Expr) -> Expr:
        """The expression with all such numbers replaced."""
        return replace(root, dict.fromkeys(COMPONENTS, self._rule), self._kept)

    def _rule(self, node: Expr, args: tuple[Expr, ...]) -> Expr:
        rebuilt = node if args == node.args else Expr(node.kind, args, node.data)
        if rebuilt not in self._known:
            small = int(np.prod(rebuilt.shape)) <= MOST
            found = COMPONENTS[rebuilt.kind](rebuilt, [self._known.get(arg) for arg in args]) if small else None
            self._known[rebuilt] = found
        found = self._known[rebuilt]
        return rebuilt if found is None or rebuilt.shape else as_expr(found.item())


def _index(node: Expr, parts: list[np.ndarray | None]) -> np.ndarray | None:
    return None if parts[0] is None else _array(parts[0][node.data[0]])


def _differentiated(node: Expr, parts: list[np.ndarray | None]) -> np.ndarray | None:
    return None if parts[0] is None else _each(parts[0], lambda part: _derivative(part, node.args[1:]))


def _elementwise(node: Expr, parts: list[np.ndarray | None]) -> np.ndarray | None:
    if node.data[0] not in ARITHMETIC or all(part is None for part in parts):
        return None
    return _array(ARITHMETIC[node.data[0]](*map(_split, node.args, parts)))


def _event(node: Expr, parts: list[np.ndarray | None]) -> np.ndarray | None:
    name, settings, together = node.data
    opaque = all(part is None for part in parts) and name not in ("stack", "concatenate")
    if name not in ACROSS or opaque or (name in ("dot", "matmul") and _products(node) > PRODUCTS):
        return None
    split = list(map(_split, node.args, parts))
    return _array(getattr(np, name)(*([split] if together else split), **dict(settings)))


def _products(node: Expr) -> int:
    """How many products of two components there are in a product of matrices or vectors."""
    return int(np.prod(node.shape)) * node.args[0].shape[-1]


COMPONENTS: Mapping[str, Callable[[Expr, list[np.ndarray | None]], np.ndarray | None]] = {
    "index": _index,
    "derivative": _differentiated,
    "elementwise": _elementwise,
    "event": _event,
}
"""The components of a vector that was put together from expressions, given those of its arguments; None for others."""


def _split(arg: Expr, found: np.ndarray | None) -> np.ndarray:
    """The components of any expression: those it was made of, else its entries."""
    if found is not None:
        return found
    if arg.kind == "constant":
        return np.asarray(arg.data[0], object)
    entries = np.empty(arg.shape, object)
    for place in np.ndindex(arg.shape):
        entries[place] = arg[place] if place else arg
    return entries


def _derivative(part: Any, coordinates: tuple[Expr, ...]) -> Any:
    """The derivative of one component, which need not depend on every coordinate."""
    for coordinate in coordinates:
        if not isinstance(part, Expr) or coordinate.data not in part.depends:
            return 0.0
        part = part.d(coordinate)
    return part


def _each(array: np.ndarray, function: Callable[[Any], Any]) -> np.ndarray:
    found = np.empty(array.shape, object)
    for place in np.ndindex(array.shape):
        found[place] = function(array[place])
    return found


def _array(value: Any) -> np.ndarray:
    """An array of expressions, also of one: NumPy would take an expression apart."""
    if isinstance(value, np.ndarray):
        return value
    found = np.empty((), object)
    found[()] = value
    return found
