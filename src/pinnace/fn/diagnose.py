"""`pn.diagnose`: measurements of what is trained, as expressions for trackers and `crux.eval`.

    pn.core([pde, bc, pn.diagnose.gradient_norm(pde).tracker(every=100)])

They look at the parameters that optimizers train: frozen ones, and those that a filter leaves out, do not count. Inside
them weights are constants. Between the steps of a tracker with `every=` they cost nothing; at these steps a gradient
costs about as much as the step's own. Sources are given where there are any.
"""

from typing import Any

from pinnace._errors import ExpressionError
from pinnace.expr import MEASURED, Expr, Identity, PointSet, nodes, text


def gradient_norm(loss: Expr, of: Any = None) -> Expr:
    """The Euclidean norm of the gradient of a loss by all that is trained, or by one network or parameter `of`.

    The loss is any scalar expression, `gradient_norm(pde)` or with its weight, `gradient_norm(w_pde * pde)`. Raises
    ExpressionError for what has a value at each point.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> k = pn.parameter(2.0, name="k")
    >>> gradient_norm((k * x - 1).mse.named("fit"), of=k)
    gradient_norm(fit, of=k)
    """
    return Expr("gradient norm", (_loss(loss, "gradient_norm"),), (_target(of, "gradient_norm"),))


def gradient_cosine(a: Expr, b: Expr, of: Any = None) -> Expr:
    """The cosine of the angle between the gradients of two losses: below 0 where one grows as the other falls.

    nan where one of the gradients is zero. Arguments and errors are those of `gradient_norm`.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> k = pn.parameter(2.0, name="k")
    >>> gradient_cosine((k * x - 1).mse.named("fit"), (k**2).named("small"))
    gradient_cosine(fit, small)
    """
    losses = (_loss(a, "gradient_cosine"), _loss(b, "gradient_cosine"))
    return Expr("gradient cosine", losses, (_target(of, "gradient_cosine"),))


def ntk_spectrum(residual: Expr, top: int = 16, of: Any = None) -> Expr:
    """The largest eigenvalues of the neural tangent kernel of a residual at its points, from the largest on: `[top]`.

    The kernel is `K = J J^T / n`, with a row of J for each of the n values of the residual (points times components):
    its gradient by what is trained. Gradient flow on the `.mse` makes the part of the residual along an eigenvector of
    eigenvalue s fall like exp(-2 s t), so a wide spectrum tells which parts are learned late. Of more than 1024 values,
    and of fewer where J had more than 2^25 numbers, points are taken at even distances in their order, and n is their
    number: the spectrum is then an estimate. A kernel of fewer than `top` values is filled up with zeros. Raises
    ExpressionError for a loss, give its residual; and for another `top`. A residual that holds a mean or a sum over its
    points has no kernel: LoweringError.

    Source: Wang, Yu, Perdikaris, Journal of Computational Physics 449 (2022) 110768, arXiv 2007.14527.

    >>> import pinnace as pn
    >>> x = pn.domain.interval(0, 1).variable("interior", 10)
    >>> k = pn.parameter(2.0, name="k")
    >>> ntk_spectrum((k * x - 1).named("r"), top=2)
    ntk_spectrum(r, top=2)
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ExpressionError(f"top is how many eigenvalues are looked at, from 1 on; got {top!r}.")
    if not isinstance(residual, Expr) or residual.points is None:
        shown = f"`{text(residual)}`, which has one value in all" if isinstance(residual, Expr) else repr(residual)
        raise ExpressionError(f"ntk_spectrum takes a residual, with a value at each point; got {shown}. Leave out .mse")
    _check_plain(residual, "ntk_spectrum")
    return Expr("kernel spectrum", (residual,), (_target(of, "ntk_spectrum"), top))


def parameter_norm(of: Any = None) -> Expr:
    """The Euclidean norm of all trained parameters, or of those of one network.

    >>> import pinnace as pn
    >>> parameter_norm(pn.parameter(2.0, name="k"))
    parameter_norm(k)
    """
    return Expr("parameter norm", (), (_target(of, "parameter_norm"),))


def update_norm(of: Any = None) -> Expr:
    """How far a step moves all trained parameters, or those of one network: the Euclidean norm of their change.

    Row t of its tracker belongs to the step from the parameters t to the parameters t + 1, rate included. It is known
    inside a step only: `crux.eval` raises an error, and a learning rate cannot look at it.

    >>> import pinnace as pn
    >>> update_norm(pn.parameter(2.0, name="k")).tracker(every=10)
    `update_norm(k)` tracked every 10 steps
    """
    return Expr("update norm", (), (_target(of, "update_norm"),))


def _loss(loss: Any, name: str) -> Expr:
    if not isinstance(loss, Expr):
        raise ExpressionError(f"{name} takes a loss, which is an expression; got {loss!r}.")
    if loss.points is not None or loss.shape:
        shown = text(loss)
        where = f"a value at each of {loss.points.size} points" if loss.points else f"shape {loss.shape}"
        raise ExpressionError(
            f"`{shown}` has {where}, but {name} takes a scalar. Reduce it, for example `({shown}).mse`."
        )
    _check_plain(loss, name)
    return loss


def _check_plain(expr: Expr, name: str) -> None:
    inside = next((node for node in nodes([expr]) if node.kind in MEASURED), None)
    if inside is not None:
        raise ExpressionError(
            f"{name} cannot look into `{text(inside)}`, which looks at gradients or parameters itself."
        )


def _target(of: Any, name: str) -> Identity | None:
    """The network or parameter that is meant; an expression of it does too."""
    if isinstance(of, Expr) and of.kind in ("parameter", "field"):
        return of.data[0]
    if of is None or (isinstance(of, Identity) and not isinstance(of, PointSet)):
        return of
    shown = f"`{text(of)}`" if isinstance(of, Expr) else repr(of)
    raise ExpressionError(f"{name} looks at a network (pn.nn) or a parameter (pn.parameter); got {shown}.")
