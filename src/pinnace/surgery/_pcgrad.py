"""PCGrad: gradients that conflict lose the parts that do."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, Int, Key, PyTree

from pinnace._errors import SurgeryError
from pinnace.surgery._vectors import as_vectors, count_of, pulls


class Pcgrad(eqx.Module):
    """See `pcgrad`."""

    seed: int | Array | None

    @property
    def reads(self) -> frozenset[str]:
        """A key, where there is no seed."""
        return frozenset({"key"} if self.seed is None else ())

    def init(self, m: int) -> Int[Array, ""]:
        """No update yet."""
        count_of(m)
        return jnp.zeros((), int)

    def update(
        self, gradients: Sequence[PyTree], state: Int[Array, ""], *, key: Any = None
    ) -> tuple[PyTree, Int[Array, ""]]:
        """The direction, see `pcgrad`."""
        if self.seed is not None:
            key = jax.random.fold_in(jax.random.key(self.seed), state)
        if key is None:
            raise SurgeryError("pcgrad draws an order: write update(gradients, state, key=...), or pcgrad(seed=0).")
        vectors, back = as_vectors(gradients)
        g = pulls(vectors)
        cosines = jnp.matmul(g.units, g.units.T, precision=jax.lax.Precision.HIGHEST)
        return back(g.combined(projected(cosines, g.lengths, key))), state + 1


def projected(cosines: Float[Array, "m m"], lengths: Float[Array, " m"], key: Key[Array, ""]) -> Float[Array, " m"]:
    """The sum of all gradients after projections, as multiples of the unit gradients.

    >>> projected(jnp.array([[1.0, -0.5], [-0.5, 1.0]]), jnp.array([2.0, 1.0]), jax.random.key(0)).tolist()
    [2.5, 2.0]
    """
    m = len(lengths)

    def one(i: Int[Array, ""], key: Key[Array, ""]) -> Float[Array, " m"]:
        def onto(shares: Float[Array, " m"], j: Int[Array, ""]) -> tuple[Float[Array, " m"], None]:
            along = jnp.where(j == i, 0, jnp.minimum(cosines[j] @ shares, 0))
            return shares.at[j].add(-along), None

        return jax.lax.scan(onto, lengths * (jnp.arange(m) == i), jax.random.permutation(key, m))[0]

    return jnp.sum(jax.vmap(one)(jnp.arange(m), jax.random.split(key, m)), axis=0)


def pcgrad(seed: int | None = None) -> Pcgrad:
    """PCGrad: project each gradient onto the normal planes of those it conflicts with, and sum.

    For each i, from `v = g_i`, for all other j in a random order: where `<v, g_j> < 0`, `v <- v - <v, g_j> / ||g_j||^2
    g_j`, with the original g_j; the direction is the sum of these v. The order is drawn anew for each i and each
    update: from the key given to `update` (`core` gives it), or with `seed` from `fold_in(key(seed), number of
    updates before)`. Raises SurgeryError for another seed than a whole number from 0.

    Source: Yu et al. 2020, arXiv 2001.06782, algorithm 1.

    >>> surgery = pcgrad(seed=0)
    >>> direction, _ = surgery.update([jnp.array([1.0, 0.0]), jnp.array([-1.0, 1.0])], surgery.init(2))
    >>> [round(float(w), 3) for w in direction]
    [0.5, 1.5]
    """
    whole = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**31
    if not (seed is None or whole or isinstance(seed, Tracer)):
        raise SurgeryError(f"pcgrad got seed = {seed!r}, expected a whole number from 0 to 2147483647, or None.")
    return Pcgrad(seed)
