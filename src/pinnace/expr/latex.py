"""Expressions as LaTeX, for notebooks and papers."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from pinnace.expr.text import (
    ATOM,
    MEASUREMENTS,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    Names,
    at_its_points,
    entry,
    function_name,
    number,
    postorder,
    printed,
    shortened,
)

GREEK = set(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi "
    "omega".split()
)
FUNCTIONS = {"sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan"}
RELATIONS = {
    "less": "<",
    "less_equal": r"\leq",
    "greater": ">",
    "greater_equal": r"\geq",
    "equal": "=",
    "not_equal": r"\neq",
    "logical_and": r"\wedge",
    "logical_or": r"\vee",
}
HEADS = {"log2": r"\log_{2}", "log10": r"\log_{10}", "maximum": r"\max", "minimum": r"\min", "logical_not": r"\neg"}
HEADS |= {name: "\\" + name for name in FUNCTIONS}
AROUND = {
    "absolute": r"\left|{}\right|",
    "sqrt": r"\sqrt{{{}}}",
    "cbrt": r"\sqrt[3]{{{}}}",
    "floor": r"\left\lfloor {} \right\rfloor",
    "ceil": r"\left\lceil {} \right\rceil",
}
BETWEEN = {"dot": r"\cdot", "cross": r"\times", "matmul": r"\,"}
SPECIAL = {letter: "\\" + letter for letter in "_%&#{}$ "}
SPECIAL |= {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", "<": r"\langle ", ">": r"\rangle "}
"""Letters that mean something to TeX, or to HTML, and what shows them in mathematics."""
WIDE = 12
"""Letters of an atom up to which it is written above the line of a derivative."""

Part = tuple[str, int]


def latex(expr: Any, names: Names | None = None, top: bool = True) -> str:
    r"""The expression as mathematics; a name at the `top` becomes the left-hand side.

    `names` are those of the fields, where several expressions are shown together.

    >>> from pinnace.expr.node import as_expr
    >>> latex(as_expr(1.0) / 3)
    '\\frac{1.0}{3}'
    """
    names = names or Names()
    defined = top and expr.kind == "named"
    head = f"{symbol(expr.data[0])} = " if defined else ""
    root = expr.args[0] if defined else expr
    return head + written(root, names)[0]


def written(root: Any, names: Names) -> Part:
    """The mathematics of an expression, and how tightly it binds."""
    done: dict[Any, Part] = {}
    for node in postorder([root], printed):
        shown, strength = WRITERS[node.kind](node, [done[arg] for arg in printed(node)], names)
        done[node] = (shown, strength) if shown == shortened(shown) else (upright("..."), ATOM)
    return done[root]


def symbol(name: str) -> str:
    """A name as a symbol: greek letters by their name, a trailing number as an index, longer words upright.

    What follows a letter and an underscore is an index too, as in D_eff.
    """
    letter, _, below = name.partition("_")
    if below and (letter in GREEK or (len(letter) == 1 and letter.isalpha())):
        return f"{symbol(letter)}_{{{below if below.isdigit() else symbol(below)}}}"
    stem = name.rstrip("0123456789")
    index = name[len(stem) :]
    stem = stem.removesuffix("_") if index else stem
    if stem in GREEK:
        shown = "\\" + stem
    else:
        shown = stem if len(stem) == 1 and stem.isalpha() else upright(stem or name)
    return f"{shown}_{{{index}}}" if index and stem else shown


def upright(words: str) -> str:
    """Words as they are, in an upright face."""
    escaped = "".join(SPECIAL.get(letter, letter) for letter in words)
    return rf"\mathrm{{{escaped}}}"


def operator(name: str) -> str:
    """The name of a function in front of its arguments."""
    # digits and signs would be set apart
    return upright(name).replace("mathrm", "operatorname", 1) if name.isalpha() else upright(name)


def width(shown: str) -> int:
    """About how many letters it has; both parts of a fraction count."""
    symbols = re.sub(r"\\(left|right|mathrm|operatorname|frac|,)(?![a-z])", "", shown)
    return len(re.sub(r"[{}_^\\ ]", "", re.sub(r"\\[a-z]+", "x", symbols)))


def wrapped(part: Part, least: int) -> str:
    return part[0] if part[1] >= least else rf"\left({part[0]}\right)"


def _constant(node: Any, parts: list[Part], names: Names) -> Part:
    value = node.data[0]
    turns = float(value) / np.pi if np.ndim(value) == 0 else 0.0
    if turns in range(1, 20):
        return (r"\pi", ATOM) if turns == 1 else (rf"{turns:.0f} \pi", PRODUCT)
    shown = number(value)
    if np.ndim(value) > 0:
        return upright(shown), ATOM
    if isinstance(value, bool) or not np.isfinite(value):
        return upright(shown), ATOM
    if "e" in shown:
        base, power = shown.split("e")
        return (f"10^{{{int(power)}}}", POWER) if base == "1" else (rf"{base} \cdot 10^{{{int(power)}}}", PRODUCT)
    return shown, SIGN if shown.startswith("-") else ATOM


def _elementwise(node: Any, parts: list[Part], names: Names) -> Part:
    name = node.data[0]
    if name in RELATIONS:
        return f"{wrapped(parts[0], SUM)} {RELATIONS[name]} {wrapped(parts[1], SUM)}", 0
    match name:
        case "add":
            return f"{wrapped(parts[0], SUM)} + {summand(parts[1])}", SUM
        case "subtract":
            return f"{wrapped(parts[0], SUM)} - {summand(parts[1])}", SUM
        case "multiply":
            right = wrapped(parts[1], POWER)
            return rf"{wrapped(parts[0], PRODUCT)} {_times(right)} {right}", PRODUCT
        case "divide":
            return rf"\frac{{{parts[0][0]}}}{{{parts[1][0]}}}", POWER
        case "power":
            return f"{wrapped(parts[0], ATOM)}^{{{parts[1][0]}}}", POWER
        case "square":
            return f"{wrapped(parts[0], ATOM)}^2", POWER
        case "negative":
            return f"-{summand(parts[0])}", SIGN
        case "reciprocal":
            return rf"\frac{{1}}{{{parts[0][0]}}}", POWER
        case "exp2":
            return f"2^{{{parts[0][0]}}}", POWER
    if name in AROUND:
        return AROUND[name].format(parts[0][0]), ATOM
    return _call(HEADS[name] if name in HEADS else operator(name), parts)


def _times(right: str) -> str:
    """The sign of a product: numbers side by side would be read as one."""
    return r"\cdot" if right[0].isdigit() else r"\,"


def summand(part: Part) -> str:
    """What stands behind a sign: a product, or more tightly bound, without a sign of its own."""
    return wrapped(part, PRODUCT if part[1] != SIGN else ATOM)


def _call(head: str, parts: list[Part]) -> Part:
    return rf"{head}\left({', '.join(part[0] for part in parts)}\right)", ATOM


def _derivative(node: Any, parts: list[Part], names: Names) -> Part:
    counts = Counter(part[0] for part in parts[1:])
    order = len(parts) - 1
    below = r" \, ".join(rf"\partial {name}" + (f"^{{{n}}}" if n > 1 else "") for name, n in counts.items())
    above = r"\partial" + (f"^{{{order}}}" if order > 1 else "")
    if parts[0][1] == ATOM and width(parts[0][0]) <= WIDE:
        return rf"\frac{{{above} {parts[0][0]}}}{{{below}}}", POWER
    return rf"\frac{{{above}}}{{{below}}} \left({parts[0][0]}\right)", PRODUCT


def _trace(node: Any, parts: list[Part], names: Names) -> Part:
    drawn = rf"\widehat{{\Delta}}_{{{', '.join(part[0] for part in parts[1:])}}}"
    return rf"{drawn} {wrapped(parts[0], ATOM)}", PRODUCT


def _field(node: Any, parts: list[Part], names: Names) -> Part:
    head = symbol(names(node.data[0]))
    return (head, ATOM) if at_its_points(node) else _call(head, parts)


def _index(node: Any, parts: list[Part], names: Names) -> Part:
    shown = [r"\dots" if part is Ellipsis else entry(part) for part in node.data[0]]
    return f"{{{wrapped(parts[0], ATOM)}}}_{{{', '.join(shown)}}}", ATOM


def _at(node: Any, parts: list[Part], names: Names) -> Part:
    pairs = ", ".join(f"{old[0]} = {new[0]}" for old, new in zip(parts[1::2], parts[2::2], strict=True))
    return rf"\left. {wrapped(parts[0], POWER)} \right|_{{{pairs}}}", POWER


def _integral(node: Any, parts: list[Part], names: Names) -> Part:
    """One sign for each coordinate, the last one outermost; a region below a single sign."""
    region = node.data[2:]
    old, lows, highs = (parts[k::3] for k in (1, 2, 3))
    signs = [rf"\int_{{{low[0]}}}^{{{high[0]}}}" for low, high in zip(lows, highs, strict=True)]
    sign = rf"\int_{{{upright(region[0])}}}" if region else " ".join(reversed(signs))
    steps = r" \, ".join(rf"\mathrm{{d}} {name[0]}" for name in old)
    return rf"{sign} {wrapped(parts[0], PRODUCT)} \, {steps}", PRODUCT


def _reduce(node: Any, parts: list[Part], names: Names) -> Part:
    how = node.data[0]
    inner = parts[0][0]
    match how:
        case "integral":
            return rf"\int {wrapped(parts[0], PRODUCT)}", PRODUCT
        case "mse":
            return rf"\left\langle {wrapped(parts[0], ATOM)}^2 \right\rangle", ATOM
        case "mae":
            return rf"\left\langle \left|{inner}\right| \right\rangle", ATOM
        case "mean":
            return rf"\left\langle {inner} \right\rangle", ATOM
        case "sum":
            return rf"\sum {wrapped(parts[0], PRODUCT)}", SUM
        case "max":
            return rf"\max\left({inner}\right)", ATOM
        case "relative_l2":
            off = f"{wrapped(parts[0], SUM)} - {wrapped(parts[1], PRODUCT)}"
            return rf"\frac{{\left\| {off} \right\|}}{{\left\| {parts[1][0]} \right\|}}", POWER
        case "quantile":
            q = node.data[1]
            shown = ", ".join(map(number, q)) if isinstance(q, tuple) else number(q)
            return rf"Q_{{{shown}}}\left({inner}\right)", ATOM
        case "huber":
            return rf"\left\langle H_{{{number(node.data[1])}}}\left({inner}\right) \right\rangle", ATOM
    return rf"\left\langle {wrapped(parts[1], PRODUCT)} \, {wrapped(parts[0], ATOM)}^2 \right\rangle", ATOM


def _measured(node: Any, parts: list[Part], names: Names) -> Part:
    """What is measured, by theta, or by the parameters of one field alone."""
    of = node.data[0]
    theta = r"\theta" if of is None else rf"\theta_{{{symbol(names(of))}}}"
    slopes = [rf"\nabla_{{{theta}}} {wrapped(part, ATOM)}" for part in parts]
    match node.kind:
        case "gradient norm":
            return rf"\left\| {slopes[0]} \right\|", ATOM
        case "gradient cosine":
            return rf"\cos\angle\left({slopes[0]}, {slopes[1]}\right)", ATOM
        case "kernel spectrum":
            return rf"\lambda_{{1, \dots, {node.data[1]}}}\left(K_{{{theta}}}\left[{parts[0][0]}\right]\right)", ATOM
        case "parameter norm":
            return rf"\left\| {theta} \right\|", ATOM
    return rf"\left\| \Delta {theta} \right\|", ATOM


def _event(node: Any, parts: list[Part], names: Names) -> Part:
    name = node.data[0]
    if name == "norm":
        return rf"\left\| {parts[0][0]} \right\|", ATOM
    if name in BETWEEN:
        return f"{wrapped(parts[0], POWER)} {BETWEEN[name]} {wrapped(parts[1], POWER)}", PRODUCT
    return _call(operator(name), parts)


def _weight(node: Any, parts: list[Part], names: Names) -> Part:
    cell, index = node.data
    target = cell.target(index, names)
    return f"w_{{{symbol(target) if target.isidentifier() else upright(target)}}}", ATOM


def _point_weight(node: Any, parts: list[Part], names: Names) -> Part:
    cell = node.data[0]
    return rf"\lambda_{{{upright(cell.target(0, names))}}}", ATOM


WRITERS: dict[str, Callable[[Any, list[Part], Names], Part]] = {
    "constant": _constant,
    "coordinate": lambda node, parts, names: (symbol(node.data[0].axes[node.data[1]]), ATOM),
    "normal": lambda node, parts, names: (f"n_{{{symbol(node.data[0].axes[node.data[1]])}}}", ATOM),
    "parameter": lambda node, parts, names: (symbol(names(node.data[0])), ATOM),
    "field": _field,
    "weight": _weight,
    "point weight": _point_weight,
    "elementwise": _elementwise,
    "event": _event,
    "index": _index,
    "apply": lambda node, parts, names: _call(operator(function_name(node.data[0])), parts),
    "derivative": _derivative,
    "trace": _trace,
    "functional": lambda node, parts, names: parts[0],
    "at": _at,
    "integral": _integral,
    "named": lambda node, parts, names: (symbol(node.data[0]), POWER if " " in node.data[0] else ATOM),
    "reduce": _reduce,
    **dict.fromkeys(MEASUREMENTS, _measured),
}
