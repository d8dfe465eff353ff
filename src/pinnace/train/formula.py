"""Mathematics and figures as pictures inside HTML, which every notebook shows: no script, no network."""

import base64
import io
from functools import lru_cache
from html import escape
from typing import Any

from pinnace.expr import Expr, Names, latex, mathtext, text

DPI, SCREEN = 200, 96
PAD = 2.0
"""Points around a formula."""
WIDEST = 760
"""Pixels up to which a formula is a picture; a longer one is text, which can be broken."""
REFUSED = (ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError)
"""What matplotlib raises where it is missing, or cannot set or draw something."""


def formula(expr: Expr, names: Names | None = None, top: bool = True) -> str:
    """An expression as HTML: a picture of its mathematics, else its text."""
    plain = text(expr, names, top=top)
    found = _set(mathtext(latex(expr, names, top)))
    if found is None or found[1] > WIDEST:
        return f'<code style="white-space:normal">{escape(plain)}</code>'
    return picture(*found, plain)


def picture(data: bytes, width: int, words: str) -> str:
    """A PNG of so many pixels on the screen, with words for those who cannot see it."""
    source = base64.b64encode(data).decode()
    style = f"background:white;max-width:100%;width:{width}px;height:auto;vertical-align:middle;display:inline"
    return f'<img src="data:image/png;base64,{source}" width="{width}" style="{style}" alt="{escape(words)}">'


def figure_picture(figure: Any, words: str) -> str:
    """A matplotlib figure as HTML."""
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=1.5 * SCREEN)
    return picture(target.getvalue(), round(figure.get_figwidth() * SCREEN), words)


@lru_cache(maxsize=256)
def _set(mathematics: str) -> tuple[bytes, int] | None:
    """The PNG of some mathematics and its width on the screen; None where matplotlib cannot set it."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.font_manager import FontProperties
        from matplotlib.mathtext import MathTextParser

        font = FontProperties(size=12, math_fontfamily="cm")
        wide, high, deep, *_ = MathTextParser("path").parse(f"${mathematics}$", 72, font)
        wide, high, deep = wide + 2 * PAD, high + 2 * PAD, deep + PAD
        figure = Figure(figsize=(wide / 72, high / 72))
        figure.text(PAD / wide, deep / high, f"${mathematics}$", fontproperties=font, usetex=False)
        target = io.BytesIO()
        figure.savefig(target, format="png", dpi=DPI)
    except REFUSED:
        return None
    return target.getvalue(), round(wide * SCREEN / 72)
