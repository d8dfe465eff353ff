"""Memory for time: a field whose values between matrix products are computed again in the backward pass."""

from collections.abc import Callable
from typing import Any

import jax

from pinnace.lower.jet import Jet

KEPT = jax.checkpoint_policies.dots_saveable
"""What is kept for the backward pass: the results of matrix products, the expensive part."""


def recomputed(propagated: Callable[[], Jet]) -> Jet:
    """The jet that a function makes; what it computes on the way is made again when gradients are taken."""
    made: list[Jet] = []

    def values() -> list[Any]:
        made[:] = [propagated()]
        return [made[0].value, *made[0].parts.values()]

    value, *parts = jax.checkpoint(values, policy=KEPT)()
    return Jet(value, dict(zip(made[0].parts, parts, strict=True)), made[0].batched)
