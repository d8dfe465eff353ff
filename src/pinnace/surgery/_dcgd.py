"""Dual cone gradient descent: a direction that raises neither the residual losses nor the others."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from pinnace._errors import SurgeryError, did_you_mean, listed
from pinnace.surgery._vectors import Pulls, Vectors, as_vectors, count_of, pulls

VARIANTS = ("center", "projection", "average")


class Dcgd(eqx.Module):
    """See `dcgd`."""

    variant: str = eqx.field(static=True)
    residuals: tuple[int, ...] = eqx.field(static=True)

    reads = frozenset[str]()

    def init(self, m: int) -> tuple[()]:
        """No state."""
        self._known(count_of(m))
        return ()

    def update(self, gradients: Sequence[PyTree], state: tuple[()], *, key: Any = None) -> tuple[PyTree, tuple[()]]:
        """The direction, see `dcgd`."""
        self._known(len(gradients))
        vectors, back = as_vectors(gradients)
        pair = in_two(vectors, self.residuals)
        if self.variant == "center":
            shares = _center(pair)
        else:
            cosine = jnp.clip(jnp.vdot(pair.units[0], pair.units[1], precision=jax.lax.Precision.HIGHEST), -1, 1)
            a, b = pair.lengths
            shares = _projection(a, b, cosine) if self.variant == "projection" else _average(a, b, cosine)
        return back(pair.combined(shares)), state

    def _known(self, m: int) -> None:
        if self.residuals and max(self.residuals) >= m > 1:
            raise SurgeryError(f"dcgd got residuals = {self.residuals}, but there are {m} losses, numbered from 0.")


def in_two(vectors: Vectors, first: tuple[int, ...]) -> Pulls:
    """The sums of two groups of gradients: `first`, and all others.

    >>> in_two(jnp.array([[2.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), (0,)).units.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    others = tuple(i for i in range(len(vectors)) if i not in first)
    sums, scales = [], []
    for group in (first if len(vectors) > 1 else (0,), others):
        # Each group in its own scale: beside 1e20, 1e-20 would not have a direction in float32.
        rows = vectors[np.array(group, int)]
        top = jnp.max(jnp.abs(rows), initial=0)
        total = jnp.sum(rows / jnp.where(top == 0, 1, top), axis=0)
        # What a sum leaves of gradients that cancel is rounding, and has no direction.
        noise = 4 * len(group) * jnp.finfo(total.dtype).eps
        sums.append(jnp.where(jnp.max(jnp.abs(total)) <= noise, 0, total))
        scales.append(top)
    return pulls(jnp.stack(sums), jnp.stack(scales))


def _center(pair: Pulls) -> Float[Array, "2"]:
    # <c, g_a + g_b> / ||c||^2 for c the sum of the two unit vectors, where 1 + cosine cancels.
    both = jnp.all(jnp.any(pair.units != 0, axis=1))
    return jnp.where(both, jnp.full_like(pair.lengths, 0.5), 1) * jnp.sum(pair.lengths)


def _projection(a: Array, b: Array, cosine: Array) -> Float[Array, "2"]:
    against_a, against_b = a + b * cosine < 0, b + a * cosine < 0
    return jnp.stack(
        [jnp.where(against_a, -b * cosine, a), jnp.where(against_b, -a * cosine, b)],
    )


def _average(a: Array, b: Array, cosine: Array) -> Float[Array, "2"]:
    outside = (a + b * cosine < 0) | (b + a * cosine < 0)
    return jnp.where(outside, jnp.stack([a - b * cosine, b - a * cosine]) / 2, jnp.stack([a, b]))


def dcgd(variant: str = "center", residuals: int | Sequence[int] = 1) -> Dcgd:
    """DCGD: go down a direction of the dual cone of two gradients, so that neither loss has to rise.

    The two are those of the method's PINN: `g_r`, the sum of the gradients of the residuals of the equations, and
    `g_b`, the sum of the others (boundary, initial, data); more than two losses are these two groups, as in the
    authors' code. `residuals`: how many of the losses, from the first, belong to the first group, or which, numbered
    from 0. With `g = g_r + g_b`:

    - "center": `<c, g> / ||c||^2 c`, `c = g_r / ||g_r|| + g_b / ||g_b||`, which makes equal angles with both;
    - "projection": g where `<g, g_r>` and `<g, g_b>` are at least 0, else g without its part along the one with which
      its product is negative;
    - "average": g there too, else the mean of g without its part along g_r, and g without its part along g_b.

    A group of zeros has no direction: then the other is taken as it is. Opposite gradients give zeros: nothing lowers
    both. Raises SurgeryError for other arguments.

    Source: Hwang & Lim 2024, arXiv 2409.18426.

    >>> surgery = dcgd()
    >>> direction, _ = surgery.update([jnp.array([2.0, 0.0]), jnp.array([0.0, 1.0])], surgery.init(2))
    >>> [round(float(w), 3) for w in direction]
    [1.5, 1.5]
    """
    if variant not in VARIANTS:
        raise SurgeryError(
            f'dcgd got variant = "{variant}", expected one of {listed(VARIANTS)}.{did_you_mean(variant, VARIANTS)}'
        )
    chosen = tuple(range(residuals)) if isinstance(residuals, int) else tuple(residuals)
    if not chosen or isinstance(residuals, bool) or not all(isinstance(i, int) and i >= 0 for i in chosen):
        raise SurgeryError(
            f"dcgd got residuals = {residuals!r}, expected how many of the losses are residuals of equations, at least "
            "1, or their numbers from 0, for example [0, 2]."
        )
    return Dcgd(variant, chosen)
