"""Expressions as text, in the notation that they were written in."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from pinnace.expr.identity import Identity

SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 6)

OPERATORS: dict[str, tuple[str, int]] = {
    "less": ("<", 0),
    "less_equal": ("<=", 0),
    "greater": (">", 0),
    "greater_equal": (">=", 0),
    "add": ("+", SUM),
    "subtract": ("-", SUM),
    "multiply": ("*", PRODUCT),
    "divide": ("/", PRODUCT),
    "remainder": ("%", PRODUCT),
    "matmul": ("@", PRODUCT),
    "power": ("**", POWER),
}


class Names:
    """Names of the identities in one text: their own, or u, u2, ... in order of first use; and how numbers look."""

    def __init__(self) -> None:
        self._names: dict[Identity, str] = {}
        self.number: Callable[[Any], str] = number

    def exact(self) -> "Names":
        """The same names, with all digits of numbers."""
        found = Names()
        found._names, found.number = self._names, exact_number
        return found

    def __call__(self, thing: Any) -> str:
        if thing not in self._names:
            taken = set(self._names.values())
            base = thing.name or thing.stem
            numbered = (base if k == 1 else f"{base}{k}" for k in range(1, len(taken) + 2))
            self._names[thing] = base if thing.name else next(name for name in numbered if name not in taken)
        return self._names[thing]


def text(expr: Any, names: Names | None = None, top: bool = False) -> str:
    """The expression as one writes it; a name instead of what it names, except at the `top`.

    >>> from pinnace.expr.node import as_expr
    >>> text(as_expr(2.0) * 3 + 1)
    '2.0 * 3 + 1'
    """
    names = names or Names()
    if top and expr.kind == "named":
        return f"{expr.data[0]}: {text(expr.args[0], names)}"
    return _write(expr, names)[0]


def number(value: Any) -> str:
    """A number as short as it can be told apart, an array by its entries or its shape."""
    if isinstance(value, np.ndarray):
        if value.size > 9:
            return f"array{value.shape}"
        return " ".join(np.array2string(value, precision=4, separator=", ").split())
    return f"{value:.6g}" if isinstance(value, float) and value != int_or_nan(value) else repr(value)


def exact_number(value: Any) -> str:
    """A number with all its digits."""
    return repr(value) if isinstance(value, float) and value != int_or_nan(value) else number(value)


def int_or_nan(value: float) -> float:
    """The integer that a float is, else NaN."""
    return value if np.isfinite(value) and value == round(value) and abs(value) < 1e6 else np.nan


def _write(root: Any, names: Names) -> tuple[str, int]:
    """Text and binding strength, children first, without recursion: expressions may be thousands deep."""
    done: dict[Any, tuple[str, int]] = {}
    for node in postorder([root], printed):
        shown, strength = WRITERS[node.kind](node, [done[arg] for arg in printed(node)], names)
        done[node] = shortened(shown), strength
    return done[root]


def shortened(shown: str, most: int = 100_000) -> str:
    """A text that is not longer than one can read: what is used again and again is written out each time."""
    return shown if len(shown) <= most else f"{shown[: most // 2]} ... {shown[-most // 2 :]}"


def printed(node: Any) -> tuple:
    """The arguments that show in the text of a node: names and weights stand for theirs."""
    if node.kind in ("named", "weight", "point weight"):
        return ()
    return node.args[:1] if node.kind == "functional" else node.args


def postorder(roots: Iterable[Any], children: Callable[[Any], tuple]) -> Iterator[Any]:
    """Every node below the roots, each once, arguments before what uses them, left before right."""
    seen: set[Any] = set()
    stack = [(root, False) for root in reversed(tuple(roots))]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(children(node)))


def wrap(part: tuple[str, int], least: int) -> str:
    """The text in parentheses where it binds less than `least`."""
    return part[0] if part[1] >= least else f"({part[0]})"


def _call(name: str, parts: list) -> tuple[str, int]:
    return f"{name}({', '.join(part[0] for part in parts)})", ATOM


def _constant(node: Any, parts: list, names: Names) -> tuple[str, int]:
    shown = names.number(node.data[0])
    return shown, SIGN if shown.startswith("-") else ATOM


def _elementwise(node: Any, parts: list, names: Names) -> tuple[str, int]:
    name = node.data[0]
    if name == "negative":
        return f"-{wrap(parts[0], SIGN)}", SIGN
    if name == "absolute":
        return _call("abs", parts)
    if name not in OPERATORS:
        return _call(name, parts)
    return infix(name, parts, *OPERATORS[name])


def infix(name: str, parts: list, sign: str, strength: int) -> tuple[str, int]:
    """Two parts around an operator, with the parentheses that keep the order of evaluation."""
    left_least = strength + (name == "power" or strength == 0)
    right_least = strength + (name not in ("add", "multiply", "power") and strength > 0) + (strength == 0)
    if name in ("add", "multiply"):
        right_least = strength + 1
    spaced = sign if name == "power" else f" {sign} "
    return f"{wrap(parts[0], left_least)}{spaced}{wrap(parts[1], right_least)}", strength


def _event(node: Any, parts: list, names: Names) -> tuple[str, int]:
    name, settings, together = node.data
    if name == "matmul":
        return infix(name, parts, *OPERATORS[name])
    inner = ", ".join(part[0] for part in parts)
    inner = f"[{inner}]" if together else inner
    return f"{name}({', '.join([inner, *(f'{key}={value}' for key, value in settings)])})", ATOM


def _index(node: Any, parts: list, names: Names) -> tuple[str, int]:
    return f"{wrap(parts[0], ATOM)}[{', '.join(map(entry, node.data[0]))}]", ATOM


def entry(part: Any) -> str:
    """An index as it is written."""
    if not isinstance(part, slice):
        return "..." if part is Ellipsis else str(part)
    ends = [part.start, part.stop] + ([part.step] if part.step is not None else [])
    return ":".join("" if end is None else str(end) for end in ends)


def _derivative(node: Any, parts: list, names: Names) -> tuple[str, int]:
    return _call("d", parts)


def _trace(node: Any, parts: list, names: Names) -> tuple[str, int]:
    inner, *coordinates = (part[0] for part in parts)
    return f"laplacian({inner}, [{', '.join(coordinates)}], samples={node.data[1]})", ATOM


def _field(node: Any, parts: list, names: Names) -> tuple[str, int]:
    return (names(node.data[0]), ATOM) if at_its_points(node) else _call(names(node.data[0]), parts)


def at_its_points(field: Any) -> bool:
    """Whether a field is called on the coordinates of points and nothing else: then its name says it all."""
    return all(arg.kind == "coordinate" and not arg.points.symbolic for arg in field.args)


def _integral(node: Any, parts: list, names: Names) -> tuple[str, int]:
    """Along a line, `integral(u, x, 0, 1)`; over a region by its name."""
    how, number, *region = node.data
    where = [f"over={region[0]}"] if region else [part[0] for part in parts[1:]]
    count = [] if number == USUAL[how] else [f"n={number}"]
    return f"integral({', '.join([parts[0][0], *where, *count])})", ATOM


USUAL = {"gauss": 32, "points": 4096}
"""How many nodes an integral has where nothing else is said."""


def _at(node: Any, parts: list, names: Names) -> tuple[str, int]:
    pairs = ", ".join(f"{old[0]}: {new[0]}" for old, new in zip(parts[1::2], parts[2::2], strict=True))
    return f"{wrap(parts[0], ATOM)}.at({{{pairs}}})", ATOM


def _reduce(node: Any, parts: list, names: Names) -> tuple[str, int]:
    how, *numbers = node.data
    if how == "integral":
        return _call(how, parts)
    if how in ("relative_l2", "quantile"):
        return _call(how, [*parts, *((_listed(value), ATOM) for value in numbers)])
    inner = wrap(parts[0], ATOM + 1) if not parts[0][0].isidentifier() else parts[0][0]
    call = [part[0] for part in parts[1:]] + [names.number(value) for value in numbers]
    return f"{inner}.{how}" + (f"({', '.join(call)})" if call else ""), ATOM


def _listed(value: Any) -> str:
    return f"[{', '.join(map(number, value))}]" if isinstance(value, tuple) else number(value)


def _measured(node: Any, parts: list, names: Names) -> tuple[str, int]:
    """A measurement: its name as a function, of what, and the options that are not the usual ones."""
    of, *options = node.data
    trained = [] if of is None else [names(of) if not parts else f"of={names(of)}"]
    top = [f"top={value}" for value in options]
    return f"{MEASUREMENTS[node.kind]}({', '.join([*(part[0] for part in parts), *top, *trained])})", ATOM


MEASUREMENTS = {
    "gradient norm": "gradient_norm",
    "gradient cosine": "gradient_cosine",
    "kernel spectrum": "ntk_spectrum",
    "parameter norm": "parameter_norm",
    "update norm": "update_norm",
}
"""What measurements of what is trained are called as functions."""


def _apply(node: Any, parts: list, names: Names) -> tuple[str, int]:
    return _call(function_name(node.data[0]), parts)


def function_name(function: Any) -> str:
    """What a callable calls itself; the name of its type where it has none."""
    return getattr(function, "__name__", type(function).__name__)


def factory_name(thing: Any) -> str:
    """What makes a thing is called, by convention: its class in words.

    >>> class EqualInit: ...
    >>> factory_name(EqualInit())
    'equal_init'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(thing).__name__).lower()


def _weight(node: Any, parts: list, names: Names) -> tuple[str, int]:
    cell, index = node.data
    return (weight_of(node.args[index], names) if isinstance(cell, int) else cell.label(index, names)), ATOM


def _point_weight(node: Any, parts: list, names: Names) -> tuple[str, int]:
    (cell,) = node.data
    return (weight_of(node.args[0], names) if isinstance(cell, int) else cell.label(0, names)), ATOM


def weight_of(weighed: Any, names: Names) -> str:
    """A weight in a program, where cells are numbers."""
    return f"w({text(weighed, names)})"


WRITERS: dict[str, Callable[[Any, list, Names], tuple[str, int]]] = {
    "constant": _constant,
    "coordinate": lambda node, parts, names: (node.data[0].axes[node.data[1]], ATOM),
    "normal": lambda node, parts, names: (f"normal_{node.data[0].axes[node.data[1]]}", ATOM),
    "parameter": lambda node, parts, names: (names(node.data[0]), ATOM),
    "field": _field,
    "weight": _weight,
    "point weight": _point_weight,
    "elementwise": _elementwise,
    "event": _event,
    "index": _index,
    "apply": _apply,
    "derivative": _derivative,
    "trace": _trace,
    "functional": lambda node, parts, names: parts[0],
    "at": _at,
    "integral": _integral,
    "abscissa": lambda node, parts, names: (node.data[0].axes[node.data[1]], ATOM),
    "named": lambda node, parts, names: (node.data[0], ATOM),
    "reduce": _reduce,
    **dict.fromkeys(MEASUREMENTS, _measured),
}
