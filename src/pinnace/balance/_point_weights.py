"""Weights of single points: the contract, and what its implementations have in common."""

from typing import Any, ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Inexact, PyTree

from pinnace._errors import BalanceError

Residuals = Inexact[Array, "n ..."]


@runtime_checkable
class PointWeights(Protocol):
    """A cell that weighs the points of a residual: two pure functions.

    `init(n)` gives the state for n points. `update(residuals, state, *coordinates)` is called exactly once a step,
    with the residuals `[n]` or `[n, components...]` (what counts of these is the Euclidean norm over the components)
    and the coordinates that it asks for, each `[n]`; it gives `(weights, state)`, weights `[n]` that have already
    moved, constants for differentiation. Where a residual is not finite nothing moves.

    `stored`: whether the state belongs to the points. Then each of its leaves is `[n, ...]`, so that those of a batch
    can be gathered and scattered, and the points must stay where they are.

    >>> import jax.numpy as jnp
    >>> class Largest:
    ...     stored = False
    ...
    ...     def init(self, n, dtype=None):
    ...         return ()
    ...
    ...     def update(self, residuals, state, *coordinates):
    ...         return jnp.abs(residuals) / jnp.max(jnp.abs(residuals)), state
    >>> isinstance(Largest(), PointWeights)
    True
    """

    stored: ClassVar[bool]

    def init(self, n: int, dtype: Any = None) -> PyTree:
        """State for n points."""
        ...

    def update(self, residuals: Residuals, state: PyTree, *coordinates: Float[Array, " n"]) -> tuple[Array, PyTree]:
        """Weights of this step, and the state for the next."""
        ...


def start(n: int, dtype: Any, value: float | Array) -> Float[Array, " n"]:
    """The same value for n points."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise BalanceError(f"init({n!r}): expected the number of points, at least 1. Write for example init(1000).")
    kind = jnp.dtype(jnp.result_type(float) if dtype is None else dtype)
    if kind not in (jnp.dtype("float32"), jnp.dtype("float64")):
        raise BalanceError(f"init(dtype={kind.name}): expected float32 or float64. Leave it out for the default.")
    return jnp.full(n, value, kind)


def magnitudes(residuals: Residuals, n: int, dtype: Any) -> tuple[Float[Array, " n"], Bool[Array, ""]]:
    """The norm of each point's residual, and whether all are finite: norms of those that are not count as 0.

    >>> magnitudes(jnp.array([[3e30, 4e30], [0.0, 1.0]]), 2, jnp.float32)[0]
    Array([5.e+30, 1.e+00], dtype=float32)
    """
    values = jnp.asarray(residuals)
    if values.ndim < 1 or values.shape[0] != n:
        raise BalanceError(
            f"update got residuals of shape {values.shape}, but the state was made for {n} points: expected "
            f"({n}, ...). Make the state with init(number of points)."
        )
    sizes = jax.lax.stop_gradient(jnp.abs(values).reshape(n, -1)).astype(dtype)
    finite = jnp.isfinite(sizes)
    sizes = jnp.where(finite, sizes, 0)
    # Divided by the largest component of the point first: 1e30 squared is no number in float32.
    top = jnp.max(sizes, axis=1, initial=0)
    scaled = sizes / jnp.where(top > 0, top, 1)[:, None]
    return top * jnp.sqrt(jnp.sum(scaled**2, axis=1)), jnp.all(finite)


def squares(sizes: Float[Array, " n"]) -> Float[Array, " n"]:
    """Their squares, held where sums of many of them are still numbers in float32."""
    return jnp.minimum(sizes, float(jnp.finfo(sizes.dtype).max) ** 0.4) ** 2


def moved(finite: Bool[Array, ""], new: PyTree, old: PyTree) -> PyTree:
    """The new state where all residuals are finite, else the old one."""
    return jax.tree.map(lambda a, b: jnp.where(finite, a, b).astype(b.dtype), new, old)


def shown(weights: Float[Array, " n"], residuals: Residuals) -> Float[Array, " n"]:
    """The weights in the precision of the residuals."""
    real = jnp.real(jnp.asarray(residuals)).dtype
    return weights.astype(real if jnp.issubdtype(real, jnp.floating) else weights.dtype)
