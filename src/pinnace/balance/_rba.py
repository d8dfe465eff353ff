"""Residual-based attention: a decaying sum of relative residuals."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace.balance._arguments import Arguments
from pinnace.balance._formula import SMALLEST
from pinnace.balance._point_weights import Residuals, magnitudes, moved, shown, start


class Rba(eqx.Module):
    """See `rba`."""

    gamma: float | Array
    eta: float | Array

    stored: ClassVar[bool] = True

    def init(self, n: int, dtype: Any = None) -> Float[Array, " n"]:
        """The weights before the first move."""
        return start(n, dtype, 0.1 * self.eta)

    def update(
        self, residuals: Residuals, state: Float[Array, " n"], *coordinates: Array
    ) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        """The weights of this step, see `rba`."""
        sizes, finite = magnitudes(residuals, len(state), state.dtype)
        attention = sizes / jnp.maximum(jnp.max(sizes), SMALLEST)
        state = moved(finite, self.gamma * state + self.eta * attention, state)
        return shown(state, residuals), state


def rba(gamma: float = 0.999, eta: float = 0.01) -> Rba:
    """Residual-based attention: weights that remember where the residual was large. For `(w * r).mse`.

    Each update `w_n <- gamma w_n + eta abs(r_n) / max(max_n abs(r_n), 1e-30)`, from 0.1 eta, so that `w` stays below
    `eta / (1 - gamma)`. `gamma`: share of the past, in [0, 1]. `eta`: at least 0. Raises BalanceError for numbers out
    of these ranges.

    Source: Anagnostopoulos et al. 2023, arXiv 2307.00379.

    >>> cell = rba(gamma=0.5, eta=0.5)
    >>> weights, state = cell.update(jnp.array([1.0, -2.0]), cell.init(2))
    >>> [round(float(w), 3) for w in weights]
    [0.275, 0.525]
    """
    given = Arguments(rba)
    return Rba(gamma=given.real("gamma", gamma, least=0, most=1), eta=given.real("eta", eta, least=0))
