"""Expressions as notebooks show them: long ones on several lines."""

from typing import Any

from pinnace.expr.latex import SUM, latex, summand, symbol, width, wrapped, written
from pinnace.expr.text import Names

LINE = 90
"""About how many letters a line of a notebook has room for."""
AROUND = {
    "mse": (r"\Big\langle \Big( ", r" \Big)^2 \Big\rangle"),
    "mae": (r"\Big\langle \Big| ", r" \Big| \Big\rangle"),
    "mean": (r"\Big\langle ", r" \Big\rangle"),
}


def displayed(expr: Any) -> str:
    r"""The expression as mathematics between dollars; a sum that is wider than a page is broken before its signs.

    >>> from pinnace.expr.node import as_expr
    >>> displayed(as_expr(1) / 3)
    '$\\displaystyle \\frac{1}{3}$'
    """
    shown = latex(expr)
    if width(shown) > LINE:
        shown = _broken(expr) or shown
    return rf"$\displaystyle {shown}$"


def _broken(expr: Any) -> str:
    """The sum on several lines; nothing where there is no sum."""
    names, head, tail = Names(), "", ""
    if expr.kind == "named":
        head, (expr,) = f"{symbol(expr.data[0])} = ", expr.args
    if expr.kind == "reduce" and expr.data[0] in AROUND:
        opened, tail = AROUND[expr.data[0]]
        head, (expr,) = head + opened, expr.args
    terms = _terms(expr)
    lines = [""]
    for sign, term in terms:
        part = written(term, names)
        shown = f" {sign} {summand(part)}" if sign else wrapped(part, SUM)
        if lines[-1] and width(lines[-1] + shown) > LINE:
            lines.append("{}")
        lines[-1] += shown
    below = r" \\ & ".join(lines)
    return rf"\begin{{aligned}} {head}& {below}{tail} \end{{aligned}}" if len(lines) > 1 else ""


def _terms(expr: Any) -> list[tuple[str, Any]]:
    """The summands with their signs, in the order in which they are written."""
    signs = {"add": "+", "subtract": "-"}
    found = []
    while expr.kind == "elementwise" and expr.data[0] in signs:
        found.append((signs[expr.data[0]], expr.args[1]))
        expr = expr.args[0]
    return [("", expr), *reversed(found)]
