"""From residuals to losses, and from losses back to the residual vectors that least squares need."""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace._errors import LoweringError
from pinnace.expr import Expr, as_expr, text
from pinnace.expr.text import postorder


def _huber(r: Array, delta: float) -> Array:
    size = jnp.abs(r)
    return jnp.mean(jnp.where(size <= delta, r**2 / 2, delta * (size - delta / 2)))


def aligned(nodes: Sequence[Expr], values: Sequence[Array]) -> list[Array]:
    """Values of expressions that broadcast as these do: points against points, components against components."""
    rank = max(len(node.shape) for node in nodes)
    return [
        value.reshape(value.shape[:1] + (1,) * (rank - len(node.shape)) + node.shape) if node.points else value
        for node, value in zip(nodes, values, strict=True)
    ]


REDUCTIONS: dict[str, Callable[..., Float[Array, ""]]] = {
    "mse": lambda r: jnp.mean(r**2),
    "mae": lambda r: jnp.mean(jnp.abs(r)),
    "mean": jnp.mean,
    "sum": jnp.sum,
    "max": jnp.max,
    "huber": _huber,
    "weighted": lambda r, w: jnp.mean(w * r**2),
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
                    f"of `{text(node)}`. Write it as factors times `.mse` or `.weighted(w)`, or choose another "
                    f"optimizer."
                )
    return found


def holds_loss(node: Expr) -> bool:
    """Whether a factor is, or is made of, reductions over points."""
    below = postorder([node], lambda node: node.args if node.kind == "elementwise" else ())
    return any(part.kind == "reduce" for part in below)


def residual_vector(parts: Sequence[tuple[Any, Sequence[Array]]]) -> Float[Array, " rows"]:
    """All residuals as one vector whose squares sum up to the total, from (factor, (r, w)): sqrt(factor w / n) r_n."""
    rows = [jnp.ravel(jnp.sqrt(factor * weight) * residual) for factor, (residual, weight) in parts]
    return jnp.concatenate([row / sqrt(row.size) for row in rows])
