"""Balanced residual decay rate: more weight where the residual falls more slowly."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pinnace.balance._adam import left
from pinnace.balance._arguments import Arguments
from pinnace.balance._point_weights import Residuals, magnitudes, moved, shown, start


class _State(NamedTuple):
    weights: Float[Array, " n"]
    fourth: Float[Array, " n"]
    count: Int[Array, " n"]


class Brdr(eqx.Module):
    """See `brdr`."""

    eps: float | Array
    beta_c: float | Array
    beta_w: float | Array

    stored: ClassVar[bool] = True

    def init(self, n: int, dtype: Any = None) -> _State:
        """All at 1, nothing seen yet."""
        weights = start(n, dtype, 1)
        return _State(weights, jnp.zeros_like(weights), jnp.zeros(n, int))

    def update(self, residuals: Residuals, state: _State, *coordinates: Array) -> tuple[Float[Array, " n"], _State]:
        """The weights of this step, see `brdr`."""
        dtype = state.weights.dtype
        sizes, finite = magnitudes(residuals, len(state.weights), dtype)
        top = jnp.max(sizes)
        second = (sizes / jnp.where(top > 0, top, 1)) ** 2
        count = state.count + 1
        fourth = self.beta_c * state.fourth + (1 - self.beta_c) * second**2
        irdr = second / jnp.sqrt(fourth / left(self.beta_c, count, dtype) + self.eps)
        mean = jnp.mean(irdr)
        target = jnp.where(mean > 0, irdr / jnp.where(mean > 0, mean, 1), 1)
        weights = self.beta_w * state.weights + (1 - self.beta_w) * target
        state = moved(finite, _State(weights, fourth, count), state)
        return shown(state.weights, residuals), state


def brdr(eps: float = 1e-30, beta_c: float = 0.999, beta_w: float = 0.999) -> Brdr:
    """Balanced residual decay rate: more weight where the residual falls more slowly. For `r.weighted(w)`.

    With r over its largest value in this step, `irdr_n = r_n^2 / sqrt(EMA(r_n^4) + eps)`, the inverse of the rate at
    which the residual decays; `w_n <- beta_w w_n + (1 - beta_w) irdr_n / mean(irdr)`, from 1, so that the mean of w
    stays 1. `EMA`: the moving average with share `beta_c` of the past, from 0 and corrected for that start. Where
    every residual is 0, w moves towards 1. `eps`: above 0. `beta_c`: in [0, 1). `beta_w`: in [0, 1].
    Raises BalanceError for numbers out of these ranges.

    Source: Chen, Howard & Stinis 2024, arXiv 2407.01613, section 3, and the authors' code for the correction; their
    factor for the whole loss is a matter of the learning rate and not part of it.

    >>> cell = brdr(beta_w=0.5)
    >>> _, state = cell.update(jnp.array([1.0, 1.0]), cell.init(2))
    >>> weights, state = cell.update(jnp.array([1.0, 0.5]), state)
    >>> [round(float(w), 3) for w in weights]
    [1.245, 0.755]
    """
    given = Arguments(brdr)
    return Brdr(
        eps=given.real("eps", eps, above=0),
        beta_c=given.real("beta_c", beta_c, least=0, below=1),
        beta_w=given.real("beta_w", beta_w, least=0, most=1),
    )
