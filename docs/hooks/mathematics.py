"""Formulas as MathML, made when the site is built: a reader's browser needs no script and no network for them."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

PRIMED = re.compile(r"<msup>(<mi>\w</mi>)<mi>(&#x0203[23];)</mi></msup>")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(text: str, **_: Any) -> str:
    """Called by mkdocs with each page as HTML."""
    return FORMULA.sub(_mathml, text)


def _mathml(found: re.Match[str]) -> str:
    tag, opening, latex = found.groups()
    display = "inline" if opening == "(" else "block"
    # fonts draw a prime raised: as an exponent it would be raised twice, and too small to see
    mathml = PRIMED.sub(r"<mrow>\1<mo>\2</mo></mrow>", convert(html.unescape(latex), display=display))
    return f'<{tag} class="formula">{mathml}</{tag}>'
