"""Functions of the coordinates that vanish on a boundary and nowhere else inside, made from those of its parts.

Each is positive inside. *Normalised* ones have slope 1 along the inward normal, and so are distances to first order, at
every point of the boundary that is no corner. Written so that they are exactly zero where a part is, and finite with
all derivatives at corners too.

Sources: Rvachev, Sheiko, Shapiro, Tsukanov, Computational Mechanics 27 (2001) 305; Shapiro, Acta Numerica 16 (2007) 239;
Sukumar, Srivastava, arXiv 2104.08426.
"""

from collections.abc import Sequence
from functools import reduce

from pinnace.expr import Expr, np

NEAR = 1e-8
"""How far from a corner, in parts of the size of a shape, normalised functions are not what they should be."""

CORNER = 0.25
"""How far from a corner, in parts of the size of a shape, the slope of smooth ones falls to zero."""


def conjunction(f: Expr, g: Expr, size: float, flat: bool = False) -> Expr:
    """Positive where both are, negative where one is: f + g - sqrt(f^2 + g^2), without its cancellation.

    Where both are zero its second derivatives are like 1 / r; where it is `flat` its slope goes to zero there instead.
    """
    root = np.sqrt(f**2 + g**2 + (NEAR * size) ** 2)
    both = f + g >= 0
    within = np.where(both, f + g + root, root)
    if not flat:
        return np.where(both, 2 * f * g / within, f + g - root)
    # f + g + root, and outside something positive that goes on smoothly
    level = np.where(both, f + g + root, root * (1 + np.tanh((f + g) / root)))
    reach = 2 * CORNER * size
    return np.where(both, 2 * f * g / (within + reach), (f + g - root) * level / (level + reach))


def disjunction(f: Expr, g: Expr, size: float, flat: bool = False) -> Expr:
    """Positive where one is, negative where both are: f + g + sqrt(f^2 + g^2)."""
    return -conjunction(-f, -g, size, flat)


def joined(parts: Sequence[Expr], size: float, normalized: bool = False) -> Expr:
    """Zero where one of several positive functions is: f g / (f + g + c), one after the other, in whatever order.

    Normalised it is next to what they are, with second derivatives like 1 / r at a distance r from points where two of
    them vanish. Otherwise it is as smooth as its parts, and its slope goes to zero there.
    """
    corner = (NEAR if normalized else CORNER) * size
    return reduce(lambda f, g: f * g / (f + g + corner), parts)


def trimmed(f: Expr, inside: Expr, size: float) -> Expr:
    """Zero where f is and `inside` is not negative; positive elsewhere, and |f| to third order next to its zeros.

    Source: Sukumar, Srivastava, arXiv 2104.08426, section 3.1, with lengths in parts of `size`.
    """
    root = np.sqrt(inside**2 + (f**2 / size) ** 2 + (NEAR * size) ** 2)
    within = inside > 0
    # (root - inside) / 2, by a quotient where the difference cancels
    ratio = f * (f / size) ** 2 / (2 * np.where(within, root + inside, size))
    outside = np.where(within, size, (root - inside) / 2)
    near = forward(f, size) * np.sqrt(1 + ratio**2)
    return np.where(within, near, np.sqrt(f**2 + outside**2))


def only(f: Expr, inside: Expr | None, size: float) -> Expr:
    """Zero where f is and `inside`, if there is any, is not negative; positive elsewhere."""
    return forward(f, size) if inside is None else trimmed(f, inside, size)


def forward(f: Expr, size: float) -> Expr:
    """The absolute value of a function that is zero or positive next to a boundary, rounding errors left out."""
    turned = f < -100 * NEAR * size
    return np.where(turned, -f, f)


def beyond(x: Expr, start: float) -> Expr:
    """x - start."""
    return x if start == 0 else x - start if start > 0 else x + -start


def between(x: Expr, low: float, high: float) -> Expr:
    """The distance to the ends of an interval, normalised: (x - low) (high - x) / (high - low)."""
    found = beyond(x, low) * (high - x)
    return found if high - low == 1 else found / (high - low)
