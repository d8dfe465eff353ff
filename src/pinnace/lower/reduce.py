"""From residuals to losses, and from losses back to the residual vectors that least squares need."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace._errors import LoweringError
from pinnace.expr import Expr, as_expr, text


def _huber(r: Array, delta: float) -> Array:
    size = jnp.abs(r)
    return jnp.mean(jnp.where(size <= delta, r**2 / 2, delta * (size - delta / 2)))


def _weighted(r: Array, w: Array) -> Array:
    """Mean over points and components of w r^2; a weight a point counts for all components of it."""
    spread = w.reshape(w.shape + (1,) * (r.ndim - w.ndim)) if w.ndim and r.ndim > w.ndim else w
    return jnp.mean(spread * r**2)


REDUCTIONS: dict[str, Callable[..., Float[Array, ""]]] = {
    "mse": lambda r: jnp.mean(r**2),
    "mae": lambda r: jnp.mean(jnp.abs(r)),
    "mean": jnp.mean,
    "sum": jnp.sum,
    "max": jnp.max,
    "huber": _huber,
    "weighted": _weighted,
}


def squares(entry: Expr) -> list[tuple[Expr, Expr, Expr]]:
    """An entry as a sum of factor * mean of w r^2: (factor, residual, w), read from how it is written.

    Raises LoweringError that names the entry where it is no such sum.
    """
    found: list[tuple[Expr, Expr, Expr]] = []
    one = as_expr(1.0)
    waiting = [(one, entry)]
    while waiting:
        factor, node = waiting.pop()
        name = node.data[0] if node.kind in ("elementwise", "reduce") else None
        match node.kind, name:
            case "elementwise", "add":
                waiting += [(factor, node.args[1]), (factor, node.args[0])]
            case "elementwise", "multiply":
                left, right = node.args
                inner, scale = (right, left) if holds_loss(right) else (left, right)
                waiting.append((factor * scale, inner))
            case "elementwise", "divide":
                waiting.append((factor / node.args[1], node.args[0]))
            case "reduce", "mse":
                found.append((factor, node.args[0], one))
            case "reduce", "weighted":
                found.append((factor, node.args[0], node.args[1]))
            case _:
                raise LoweringError(
                    f"this optimizer uses least squares, and the entry `{text(entry)}` is no sum of squares because "
                    f"of `{text(node)}`. Write it as factors times `.mse` or `.weighted(w)`, or choose another optimizer."
                )
    return found


def holds_loss(node: Expr) -> bool:
    """Whether a factor is, or is made of, reductions over points."""
    return node.kind == "reduce" or (node.kind == "elementwise" and any(map(holds_loss, node.args)))


def residual_vector(
    parts: Sequence[tuple[Any, Array, Any]],
) -> Float[Array, " rows"]:
    """All residuals as one vector whose squares sum up to the total: r_n = sqrt(w / n) r_n."""
    rows = []
    for factor, residual, weight in parts:
        spread = jnp.broadcast_to(
            jnp.reshape(weight, jnp.shape(weight) + (1,) * (residual.ndim - jnp.ndim(weight))), residual.shape
        )
        rows.append(jnp.ravel(jnp.sqrt(factor * spread / residual.size) * residual))
    return jnp.concatenate(rows)
