"""What a solution comes down to: its error, relative to what it should be, and quantiles of residuals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnace._errors import ExpressionError
from pinnace.expr.free import settled
from pinnace.expr.kinds import merged
from pinnace.expr.node import Expr, as_expr
from pinnace.expr.text import text


def relative_l2(u: Any, ref: Any) -> Any:
    """The relative L2 error of `u`: sqrt(sum |u - ref|^2 / sum |ref|^2), over all points and components.

    `ref` is an expression on the same points, such as an exact solution or measured values, or a number for all of
    them; two numbers, such as a parameter and its true value, are compared too. Given arrays, it is computed at once.
    Where `ref` is zero at all points the quotient is infinite, or nan where `u` is zero too. Raises ExpressionError for
    shapes that differ, two point sets, and a `ref` that is the number 0.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> print(relative_l2(x**2, pn.np.sin(x)))
    relative_l2(x**2, sin(x))
    >>> relative_l2([3.0, 0.0], [3.0, 4.0]).item()
    0.8
    """
    if not isinstance(u, Expr) and not isinstance(ref, Expr):
        return _of_arrays(np.asarray(u), np.asarray(ref))
    u, ref = settled((as_expr(u), as_expr(ref)))
    merged((u, ref), ())
    if u.shape != ref.shape and not (ref.kind == "constant" and ref.shape == ()):
        raise ExpressionError(
            f"relative_l2 compares component by component, and `{text(u)}` has shape {u.shape} at each point, "
            f"`{text(ref)}` {ref.shape}. Take components, for example `u[0]`, or stack them: pn.np.stack([...])."
        )
    if ref.kind == "constant" and not np.any(ref.data[0]):
        raise ExpressionError(
            f"relative_l2(`{text(u)}`, {text(ref)}) divides by the norm of zero. For the size of `{text(u)}` itself "
            f"write `pn.np.sqrt(({text(u)}).mse)`."
        )
    return Expr("reduce", (u, ref), ("relative_l2",))


def quantile(r: Any, q: float | Sequence[float]) -> Any:
    """The q-th quantile of the values over all points and components, or several of them: [k] for k numbers.

    Between two values linearly, as `numpy.quantile`; q is from 0 to 1. For the sizes of a residual write
    `pn.np.quantile(abs(r), [0.5, 0.9, 0.99]).tracker("quantiles", every=100)`. Given an array, it is computed at once.
    Raises ExpressionError for other q.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> print(quantile(abs(x), [0.5, 0.9]))
    quantile(abs(x), [0.5, 0.9])
    """
    listed: Any = q.tolist() if isinstance(q, (np.ndarray, np.generic)) else q
    several: list[Any] = list(listed) if isinstance(listed, (list, tuple)) else [listed]
    if not several or not all(
        isinstance(one, (int, float)) and not isinstance(one, bool) and 0 <= one <= 1 for one in several
    ):
        raise ExpressionError(f"a quantile is told by a number from 0 to 1, or a list of such; got {q!r}.")
    numbers = tuple(map(float, several))
    if not isinstance(r, Expr):
        return np.quantile(np.asarray(r), numbers if isinstance(listed, (list, tuple)) else numbers[0])
    return Expr("reduce", (r,), ("quantile", numbers if isinstance(listed, (list, tuple)) else numbers[0]))


def _of_arrays(u: np.ndarray, ref: np.ndarray) -> Any:
    if u.shape != ref.shape:
        raise ExpressionError(
            f"relative_l2 compares arrays of one shape; got {u.shape} and {ref.shape}. Reshape one of them."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.linalg.norm(u - ref) / np.linalg.norm(ref)
