"""LaTeX as matplotlib sets it well."""

import re

TALL = re.compile(r"\\(frac|sum|left|sqrt)")
TOKENS = re.compile(r"\\(left|right)(\\langle|\\rangle|\\lfloor|\\rfloor|\\lceil|\\rceil|\\\||.)")


def mathtext(shown: str) -> str:
    r"""The same mathematics, where delimiters grow around what is tall only: matplotlib makes others too small.

    >>> mathtext(r"\left|u\right| + \left(\frac{1}{2}\right)")
    '|u| + \\left(\\frac{1}{2}\\right)'
    """
    pieces: list[str] = [""]
    opened: list[str] = []
    end = 0
    for token in TOKENS.finditer(shown):
        pieces[-1] += shown[end : token.start()]
        end = token.end()
        if token[1] == "left":
            opened.append(token[2])
            pieces.append("")
            continue
        inside, first = pieces.pop(), opened.pop()
        if TALL.search(inside):
            pieces[-1] += rf"\left{first}{inside}\right{token[2]}"
        else:
            pieces[-1] += _plain(first) + inside.strip() + _plain(token[2])
    return pieces[-1] + shown[end:]


def _plain(delimiter: str) -> str:
    """A delimiter of the usual size; a dot is none."""
    if delimiter == ".":
        return ""
    return f"{delimiter} " if delimiter[1:].isalpha() else delimiter
