"""What is written beside a figure: the mathematics of an expression where matplotlib can set it, else its text."""

from typing import Any

from pinnace.expr import Expr, latex, mathtext, text

SIZE = 12
"""Points of the letters of a title."""


def label_of(expr: Expr, room: float) -> str:
    """The name of an expression, else its mathematics, or its text, where that fits into so many inches; else nothing.

    >>> import pinnace as pn
    >>> nu = pn.parameter(0.1, name="nu")
    >>> label_of(2 * nu, 3), label_of((2 * nu).named("twice"), 3)
    ('$2 \\\\, \\\\nu$', 'twice')
    """
    if expr.kind == "named":
        return plain(expr.data[0])
    for shown in (f"${mathtext(latex(expr))}$", plain(text(expr))):
        wide = inches(shown)
        if wide is not None and wide <= room:
            return shown
    return ""


def inches(shown: str) -> float | None:
    """How wide a title is; None where matplotlib cannot set it."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    try:
        return MathTextParser("path").parse(shown, 72, FontProperties(size=SIZE))[0] / 72
    except ValueError:
        return None


def plain(words: str) -> str:
    """Words in which dollars are dollars."""
    return words.replace("$", r"\$")


def name_axis(write: Any, coordinate: Expr) -> None:
    """Write the name of a coordinate beside an axis, as mathematics is written."""
    name, shown = text(coordinate), latex(coordinate)
    if shown == name:
        write(name, fontstyle="italic")
    else:
        write(f"${shown}$" if inches(f"${shown}$") is not None else plain(name))


def place(held: dict[Expr, float]) -> str:
    """Where a slice is: `t = 0.5`."""
    return ", ".join(f"${latex(coordinate)} = {value:.4g}$" for coordinate, value in held.items())
