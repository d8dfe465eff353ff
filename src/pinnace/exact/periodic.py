"""Coordinates on a circle."""

from typing import Any

from pinnace._errors import ExpressionError
from pinnace.expr import Expr, as_expr, np, text


def periodic(x: Any, period: Any, harmonics: int = 1) -> Expr:
    """Cosine and sine of a coordinate, for networks that are periodic in it: `net(pn.periodic(x, 2.0), t)`.

    A vector of 2 k numbers for k harmonics: cos, sin of 2 pi x / period, then of twice that, and so on. A network of
    it has the same value and the same derivatives, of all orders, at x and at x + period. `period` is a number or a
    parameter. Raises ExpressionError for a period that is not positive, and for less than one harmonic.

    Source: Dong, Ni, Journal of Computational Physics 435 (2021) 110242, arXiv 2007.07442.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(-1, 1).variable("interior", 10)
    >>> periodic(x, 2.0, harmonics=3).shape
    (6,)
    """
    x, period = as_expr(x), as_expr(period)
    if x.shape or period.shape:
        raise ExpressionError(
            f"periodic takes one coordinate and one period; `{text(x)}` has shape {x.shape}, the period {period.shape}."
        )
    if period.kind == "constant" and not 0 < period.data[0] < float("inf"):
        raise ExpressionError(f"a period is a positive number; got {text(period)}.")
    if isinstance(harmonics, bool) or not isinstance(harmonics, int) or harmonics < 1:
        raise ExpressionError(f"harmonics counts cosines and sines, from 1 on; got {harmonics!r}.")
    angle = x * (2 * np.pi / period)
    turns = [angle if k == 1 else k * angle for k in range(1, harmonics + 1)]
    return np.stack([wave(turn) for turn in turns for wave in (np.cos, np.sin)])
