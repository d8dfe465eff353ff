"""From residuals to losses, and from losses back to the residual vectors that least squares need.

A reduction is a function of the values at each point, and a fold over all points: at once, or from parts of them,
in which some rows may be copies that only fill up a length.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from pinnace._errors import LoweringError
from pinnace.expr import Expr, PointSet, as_expr, text
from pinnace.expr.text import postorder

Parts = tuple[Array, ...]


@dataclass(frozen=True)
class Fold:
    """One value from a value at each point.

    `some(values, real)` says of some points what the whole needs to know, rows that are not real left out;
    `join(parts, count)` is the whole from such parts, stacked along a first axis, of `count` values in all.
    """

    whole: Callable[[Array], Array]
    some: Callable[[Array, Bool[Array, "..."]], Parts]
    join: Callable[[Parts, int], Array]


def _sum_of_real(values: Array, real: Bool[Array, "..."]) -> Parts:
    return (jnp.sum(jnp.where(real, values, 0)),)


def _largest_of_real(values: Array, real: Bool[Array, "..."]) -> Parts:
    """The largest value, and the sum and number of those that equal it, among which the gradient is shared."""
    largest = lax.stop_gradient(jnp.max(values, where=real, initial=_lowest(values.dtype)))
    equal = real & (values == largest)
    return largest, jnp.sum(jnp.where(equal, values, 0)), jnp.sum(equal)


def _largest(parts: Parts, count: int) -> Array:
    largest, sums, numbers = parts
    best = jnp.max(largest)
    equal = largest == best
    total = jnp.sum(jnp.where(equal, sums, 0))
    # zero, with the gradient of jnp.max: every largest value gets an equal share
    share = (total - lax.stop_gradient(total)) / jnp.sum(jnp.where(equal, numbers, 0))
    return jnp.where(jnp.isfinite(best), best + share, best)


def _lowest(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.floating):
        return -jnp.inf
    return False if jnp.issubdtype(dtype, jnp.bool_) else jnp.iinfo(dtype).min


def _both(u: Array, ref: Array) -> Array:
    """The squares of a difference and of what it is measured by, along a new last axis."""
    return jnp.stack(jnp.broadcast_arrays(jnp.abs(u - ref) ** 2, jnp.abs(ref) ** 2), axis=-1)


def _sums_of_real(values: Array, real: Bool[Array, "..."]) -> Parts:
    return (jnp.sum(jnp.where(real, values, 0).reshape(-1, values.shape[-1]), axis=0),)


def _ratio(sums: Float[Array, "2"]) -> Array:
    return jnp.sqrt(sums[0] / sums[1])


def _quantiles(q: float | tuple[float, ...]) -> Fold:
    """Between the two values around a quantile linearly, as NumPy does; nan where there is a nan."""

    def of_first(values: Array, count: int) -> Array:
        """Those of the first `count` of values that are in order."""
        place = np.asarray(q) * (count - 1)
        below = np.clip(np.floor(place).astype(int), 0, count - 1)
        above = np.minimum(below + 1, count - 1)
        share = jnp.asarray(place - below, values.dtype)
        low, high = values[below], values[above]
        # two equal infinite neighbours are that value, and not nan
        return jnp.where(low == high, low, low + share * (high - low))

    def whole(values: Array, real: Any = True, count: int | None = None) -> Array:
        flat = jnp.ravel(values).astype(jnp.result_type(values, float))
        real = jnp.ravel(jnp.broadcast_to(real, values.shape))
        ordered = jnp.sort(jnp.where(real, flat, jnp.inf))
        broken = jnp.any(jnp.isnan(flat) & real)
        return jnp.where(broken, jnp.nan, of_first(ordered, flat.size if count is None else count))

    return Fold(
        whole,
        lambda values, real: (values, jnp.broadcast_to(real, values.shape)),
        lambda parts, count: whole(parts[0], parts[1], count),
    )


MEAN = Fold(jnp.mean, _sum_of_real, lambda parts, count: jnp.sum(parts[0]) / count)
SUM = Fold(jnp.sum, _sum_of_real, lambda parts, count: jnp.sum(parts[0]))
MAX = Fold(jnp.max, _largest_of_real, _largest)
RATIO = Fold(
    lambda values: _ratio(_sums_of_real(values, jnp.array(True))[0]),
    _sums_of_real,
    lambda parts, count: _ratio(jnp.sum(parts[0], axis=0)),
)


def _huber(r: Array, delta: float) -> Array:
    size = jnp.abs(r)
    return jnp.where(size <= delta, r**2 / 2, delta * (size - delta / 2))


REDUCTIONS: dict[str, Callable[..., tuple[Callable[..., Array], Fold]]] = {
    "mse": lambda: (lambda r: r**2, MEAN),
    "mae": lambda: (jnp.abs, MEAN),
    "mean": lambda: (lambda r: r, MEAN),
    "sum": lambda: (lambda r: r, SUM),
    "max": lambda: (lambda r: r, MAX),
    "integral": lambda measure: (lambda r: measure * r, MEAN),
    "huber": lambda delta: (lambda r: _huber(r, delta), MEAN),
    "weighted": lambda: (lambda r, w: w * r**2, MEAN),
    "relative_l2": lambda: (_both, RATIO),
    "quantile": lambda q: (lambda r: r, _quantiles(q)),
}
"""What each reduction does at every point, and its fold; some are told by numbers."""


def _rule(node: Expr) -> tuple[Callable[..., Array], Fold]:
    name, *numbers = node.data
    return REDUCTIONS[name](*numbers)


def set_of(node: Expr) -> PointSet | None:
    """The point set that a reduction runs over."""
    return next((arg.points for arg in node.args if arg.points is not None), None)


def reduced(node: Expr, values: Sequence[Array], count: int | None = None) -> Float[Array, ""]:
    """The value of a reduction from those of its arguments; only the first `count` rows are real, if one is given."""
    at_points, fold = _rule(node)
    if count is None:
        return fold.whole(at_points(*aligned(node.args, values)))
    rows = max(value.shape[0] for arg, value in zip(node.args, values, strict=True) if arg.points)
    return joined(node, tuple(part[None] for part in some(node, values, jnp.arange(rows) < count)), count)


def some(node: Expr, values: Sequence[Array], real: Bool[Array, " rows"]) -> Parts:
    """What a reduction needs to know of some points."""
    at_points, fold = _rule(node)
    found = at_points(*aligned(node.args, values))
    return fold.some(found, real.reshape(-1, *(1,) * (found.ndim - 1)))


def joined(node: Expr, parts: Parts, count: int) -> Float[Array, ""]:
    """The value of a reduction from what `some` said of all points, `count` in number."""
    components = prod(jnp.broadcast_shapes(*(arg.shape for arg in node.args)))
    return _rule(node)[1].join(parts, count * components)


def aligned(nodes: Sequence[Expr], values: Sequence[Array]) -> list[Array]:
    """Values of expressions that broadcast as these do: points against points, components against components."""
    rank = max(len(node.shape) for node in nodes)
    return [
        value.reshape(value.shape[:1] + (1,) * (rank - len(node.shape)) + node.shape) if node.points else value
        for node, value in zip(nodes, values, strict=True)
    ]


def squares(entry: Expr, who: str = "this optimizer uses least squares") -> list[tuple[Expr, Expr, Expr]]:
    """An entry as a sum of factor * mean of w r^2: (factor, residual, w), read from how it is written.

    The square of a number, such as an initial value that is missed, is a residual of its own.

    Raises LoweringError that names the entry, and says who asks, where it is no such sum.
    """
    found: list[tuple[Expr, Expr, Expr]] = []
    one = as_expr(1.0)
    waiting = [(one, entry)]
    while waiting:
        factor, node = waiting.pop()
        name = node.data[0] if node.kind in ("elementwise", "reduce") else None
        root = squared(node)
        if root is not None:
            found.append((factor, root, one))
            continue
        match node.kind, name:
            case "elementwise", "add":
                waiting += [(factor, node.args[1]), (factor, node.args[0])]
            case "elementwise", "multiply":
                left, right = node.args
                rank = loss_in(right)
                first = rank == 0 or (rank == 1 and loss_in(left) == 2)
                inner, scale = (left, right) if first else (right, left)
                waiting.append((factor * scale, inner))
            case "elementwise", "divide":
                waiting.append((factor / node.args[1], node.args[0]))
            case "reduce", "mse":
                found.append((factor, node.args[0], one))
            case "reduce", "weighted":
                found.append((factor, node.args[0], node.args[1]))
            case _:
                raise LoweringError(
                    f"{who}, and `{text(entry)}` is no sum of squares because of `{text(node)}`. Write it as factors "
                    f"times `.mse` or `.weighted(w)`, or choose another."
                )
    return found


def squared(node: Expr) -> Expr | None:
    """What is squared where a node is the square of one number, however it is written."""
    if node.kind != "elementwise" or node.points is not None or node.shape:
        return None
    match node.data[0], *node.args:
        case "square", root:
            return root
        case "power", root, Expr(kind="constant", data=(2 | 2.0,)):
            return root
        case "multiply", left, right if left is right:
            return left
    return None


def loss_in(node: Expr) -> int:
    """How much a factor looks like a loss: 2 with reductions over points in it, 1 with squares of numbers, else 0."""
    below = list(
        postorder([node], lambda node: node.args if node.kind == "elementwise" and squared(node) is None else ())
    )
    return max(2 * any(part.kind == "reduce" for part in below), any(squared(part) is not None for part in below))


def residual_vector(parts: Sequence[tuple[Any, Sequence[Array], int | None]]) -> Float[Array, " rows"]:
    """All residuals as one vector whose squares sum up to the total: sqrt(factor w / n) r_n.

    From (factor, (r, w), count); rows from `count` on, where one is given, are no points of their own and become 0.
    """
    found = []
    for factor, (residual, weight), count in parts:
        rows = jnp.sqrt(factor * weight) * residual
        if count is None:
            found.append(jnp.ravel(rows) / sqrt(rows.size))
            continue
        real = (jnp.arange(len(rows)) < count).reshape(-1, *(1,) * (rows.ndim - 1))
        found.append(jnp.ravel(jnp.where(real, rows, 0)) / sqrt(rows.size / len(rows) * count))
    return jnp.concatenate(found)
