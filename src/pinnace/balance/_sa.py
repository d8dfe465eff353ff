"""Self-adaptive weights: learned by gradient ascent on the loss that the network descends."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace.balance._adam import Adam, adam_start, adam_step
from pinnace.balance._arguments import Arguments
from pinnace.balance._point_weights import Residuals, magnitudes, moved, shown, squares, start

MASKS = ("square", "sigmoid")


class _State(NamedTuple):
    lam: Float[Array, " n"]
    adam: Adam


class Sa(eqx.Module):
    """See `sa`."""

    lr: float | Array
    mask: str = eqx.field(static=True)

    stored: ClassVar[bool] = True

    def init(self, n: int, dtype: Any = None) -> _State:
        """All at 1, no step yet."""
        lam = start(n, dtype, 1)
        return _State(lam, adam_start(lam))

    def update(self, residuals: Residuals, state: _State, *coordinates: Array) -> tuple[Float[Array, " n"], _State]:
        """The weights of this step, see `sa`."""
        sizes, finite = magnitudes(residuals, len(state.lam), state.lam.dtype)
        if self.mask == "square":
            slope = 2 * state.lam
        else:
            slope = jax.nn.sigmoid(state.lam) * jax.nn.sigmoid(-state.lam)
        direction, adam = adam_step(slope * (squares(sizes) / max(jnp.size(residuals), 1)), state.adam)
        state = moved(finite, _State(state.lam + self.lr * direction, adam), state)
        weights = state.lam if self.mask == "square" else jnp.sqrt(jax.nn.sigmoid(state.lam))
        return shown(weights, residuals), state


def sa(lr: float = 5e-3, mask: str = "square") -> Sa:
    """Self-adaptive weights: each point's grows the faster, the larger its residual stays. For `(w * r).mse`.

    Each update is one step of Adam (0.9, 0.999, 1e-8) up the mean of `m(lam_n) r_n^2` over points and components in
    lam, from 1. `mask`: "square", `m = lam^2` and the weight is lam; or "sigmoid", `m = 1 / (1 + exp(-lam))`, which
    stays below 1, and the weight is its root. `lr`: the rate, at least 0. Adam's steps are counted for each point by
    itself, so that those left out of a batch miss none. Raises BalanceError for other arguments.

    Source: McClenny & Braga-Neto 2023, arXiv 2009.04544, whose lam start at random or chosen values; here at 1, so
    that with "square" the loss starts as the plain one.

    >>> cell = sa(lr=0.1)
    >>> weights, state = cell.update(jnp.array([1.0, 0.0]), cell.init(2))
    >>> [round(float(w), 3) for w in weights]
    [1.1, 1.0]
    """
    given = Arguments(sa)
    return Sa(lr=given.real("lr", lr, least=0), mask=given.kind("mask", mask, MASKS))
