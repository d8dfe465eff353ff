"""Learning rate annealing: weights that make the mean gradients as large as the largest of a reference loss."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, PyTree

from pinnace._errors import BalanceError, did_you_mean, listed
from pinnace.balance._arguments import Arguments
from pinnace.balance._averaged import Averaged, averaged
from pinnace.balance._base import BalancerState, Moment
from pinnace.balance._losses import Losses, how_many
from pinnace.balance._measured import largest, means


class Lra(Averaged):
    """See `lra`."""

    reference: int | Array
    name: str | None = eqx.field(static=True)

    reads = frozenset({"grads"})

    def target(self, now: Moment) -> Float[Array, " m"]:
        assert now.grads is not None
        dtype = now.losses.dtype
        tops = jnp.stack([largest(tree, dtype) for tree in now.grads])
        # Finite, whatever the quotient of 1e30 and 1e-30 is in float32: an infinity would not move at all.
        return jnp.minimum(tops[self.reference] / means(now.grads, dtype), jnp.finfo(dtype).max)

    def clamp(self, weights: Float[Array, " m"]) -> Float[Array, " m"]:
        return super().clamp(weights).at[self.reference].set(1)

    def init(self, m: int | Losses, *, dtype: Any = None) -> BalancerState:
        return super(Lra, self._at(m, how_many(m))).init(m, dtype=dtype)

    def update(self, losses: Losses, state: BalancerState, **signals: PyTree) -> tuple[Any, BalancerState]:
        return super(Lra, self._at(losses, state.weights.shape[0])).update(losses, state, **signals)

    def _at(self, losses: int | Losses, m: int) -> "Lra":
        """The same, with the place of the reference among these losses."""
        if isinstance(losses, Mapping):
            names = sorted(losses)
            if self.name is None:
                raise BalanceError(
                    f"lra got reference = {self.reference}, but the losses are a dict, which has no order inside jit. "
                    f"Write reference={names[0]!r}, or another of {listed(names)}."
                )
            if self.name not in names:
                raise BalanceError(
                    f'lra got reference = "{self.name}", but the losses are {listed(names)}.'
                    f"{did_you_mean(self.name, names)}"
                )
            return replace(self, reference=names.index(self.name))
        if self.name is not None:
            raise BalanceError(
                f'lra got reference = "{self.name}", but the losses have no names. Give the losses as a dict, or the '
                "number of the reference loss, from 0."
            )
        if not isinstance(self.reference, Tracer) and self.reference >= m:
            raise BalanceError(f"lra got reference = {self.reference}, but there are {m} losses, numbered from 0.")
        return self


def lra(
    reference: int | str = 0,
    ema: float = 0.9,
    *,
    mode: str = "raw",
    every: int = 100,
    min_weight: float | None = 1e-4,
    max_weight: float | None = 1e4,
) -> Lra:
    """Learning rate annealing: bring the mean gradient of each loss to the largest of the reference loss.

    The target of weight i is `max abs(g_ref) / mean abs(g_i)`, the mean of the absolute values of all
    entries of g_i, the gradient of raw loss i (`update(..., grads=)`), neither below 1e-30; the weights
    follow it by a moving average from 1. `reference`: which loss is the reference and keeps weight 1, the
    PDE residual in the paper; its number, or for losses in a dict its name. `ema`: share of the past, in
    [0, 1] (1 - alpha in the paper). `every`: calls from one move to the next; gradients matter only there.
    `min_weight`, `max_weight`: clamps, of a target before it enters the average, except for the reference.
    `mode` is taken as by all balancers, but nothing is seen of the losses, except that nothing moves where
    they are not finite. Raises BalanceError for numbers out of these ranges, and in `init` and `update` for
    a reference that is not there.

    Source: Wang, Teng & Perdikaris 2021, arXiv 2001.04536, algorithm 1 (often abbreviated wrongly, with
    `abs(mean g_i)`).

    >>> balancer = lra(ema=0.0)
    >>> grads = [{"w": jnp.array([3.0, -1.0])}, {"w": jnp.array([0.5, -0.5])}]
    >>> weights, state = balancer.update([0.5, 0.1], balancer.init(2), grads=grads)
    >>> weights.tolist()
    [1.0, 6.0]
    """
    given = Arguments(lra)
    return Lra(
        reference=0 if isinstance(reference, str) else given.whole("reference", reference, least=0),
        name=reference if isinstance(reference, str) else None,
        **averaged(given, ema, mode, every, min_weight, max_weight),
    )
