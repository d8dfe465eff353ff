"""Causal weights: later times wait until earlier ones are solved."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float

from pinnace._errors import BalanceError
from pinnace.balance._arguments import Arguments
from pinnace.balance._point_weights import Residuals, magnitudes, shown, squares, start


class Causal(eqx.Module):
    """See `causal`."""

    t0: float | Array
    t1: float | Array
    tol: float | Array
    chunks: int = eqx.field(static=True)

    stored: ClassVar[bool] = False

    def init(self, n: int, dtype: Any = None) -> tuple[()]:
        """No state."""
        start(n, dtype, 1)
        return ()

    def update(
        self, residuals: Residuals, state: tuple[()], *coordinates: Float[Array, " n"]
    ) -> tuple[Float[Array, " n"], tuple[()]]:
        """The weights of this step, see `causal`."""
        if len(coordinates) != 1:
            raise BalanceError(
                f"causal weighs by time and got {len(coordinates)} coordinates: write update(residuals, state, t)."
            )
        t = jax.lax.stop_gradient(jnp.ravel(jnp.asarray(coordinates[0])))
        dtype = jnp.result_type(jnp.float32, jnp.real(jnp.asarray(residuals)).dtype)
        sizes, _ = magnitudes(residuals, t.size, dtype)
        # A residual that is not finite is as good as an infinite one: what comes after has to wait.
        bad = ~jnp.isfinite(jnp.asarray(residuals).reshape(t.size, -1)).all(axis=1)
        losses = squares(jnp.where(bad, jnp.finfo(dtype).max, sizes))
        place = jnp.floor((t - self.t0) / (self.t1 - self.t0) * self.chunks)
        chunk = jnp.clip(place, 0, self.chunks - 1).astype(int)
        total, number = (jax.ops.segment_sum(values, chunk, self.chunks) for values in (losses, jnp.ones_like(losses)))
        earlier = jnp.cumsum(total / jnp.maximum(number, 1))
        waiting = jnp.exp(-self.tol * jnp.concatenate([jnp.zeros(1, dtype), earlier[:-1]]))
        # A sum in parallel is not monotone to the last digit.
        return shown(jax.lax.cummin(waiting)[chunk], residuals), state


def causal(t0: float, t1: float, chunks: int = 32, tol: float = 1.0) -> Causal:
    """Causal weights: a time counts as far as the residuals of all earlier times are small. For `r.weighted(w)`.

    [t0, t1] is cut into `chunks` of equal width; `w_k = exp(-tol sum_{j < k} L_j)` with `L_j` the mean of `r^2` over
    the points of chunk j, 0 where it has none. So the first chunk has weight 1, and weights never increase with
    time, whatever the order of the points (`update(residuals, state, t)`). Times outside fall into the first and the
    last chunk. `tol`: at least 0. A residual that is not finite counts as too large for all later times. Raises
    BalanceError for other numbers.

    Source: Wang, Sankaran & Perdikaris 2022, arXiv 2203.07404.

    >>> cell = causal(0.0, 1.0, chunks=2)
    >>> weights, _ = cell.update(jnp.array([1.0, 2.0, 0.0]), cell.init(3), jnp.array([0.9, 0.1, 0.2]))
    >>> [round(float(w), 3) for w in weights]
    [0.135, 1.0, 1.0]
    """
    given = Arguments(causal)
    first, last = given.real("t0", t0), given.real("t1", t1)
    if not isinstance(first, Tracer) and not isinstance(last, Tracer) and first >= last:
        raise BalanceError(f"causal got t0 = {first:g} and t1 = {last:g}, but expected t0 < t1.")
    return Causal(
        t0=first,
        t1=last,
        tol=given.real("tol", tol, least=0),
        chunks=given.whole("chunks", chunks, least=1),
    )
