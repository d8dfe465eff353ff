"""The losses that a rate may read."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from pinnace._errors import ScheduleError, did_you_mean, listed


class LossValues(NamedTuple):
    """The losses of one step: what a rate reads of them.

    `entries`: the values of the entries in the order written, weights included, trackers left out.
    `raw`: the raw losses by name. `total`: the sum of the entries, as logged. `trackers`: those that are numbers, by
    name; NaN at steps where they are not computed.

    >>> LossValues(jnp.array([0.5, 1.5]), {"pde": jnp.array(0.25)}, jnp.array(2.0)).total.item()
    2.0
    """

    entries: Float[Array, " k"]
    raw: dict[str, Float[Array, ""]]
    total: Float[Array, ""]
    trackers: dict[str, Float[Array, ""]] = {}


Losses = LossValues | Mapping[str, Any] | Sequence[Any] | Float[Array, " k"]
"""What a user may give for losses: by name, in order, or as the step has them."""


def as_losses(losses: Losses | None) -> LossValues | None:
    """Losses in whatever form, as the step has them. Raises ScheduleError for what is none."""
    match losses:
        case None | LossValues():
            return losses
        # What a rate hands on that calls another one.
        case object(entries=entries, raw=raw, total=total, trackers=trackers):
            return LossValues(entries, raw, total, trackers)
    if isinstance(losses, Mapping):
        if not all(isinstance(name, str) for name in losses):
            raise ScheduleError(f"A dict of losses has their names as keys; got the keys {list(losses)!r}.")
        raw = {name: _vector([value])[0] for name, value in losses.items()}
        entries = _vector(list(raw.values()))
    else:
        raw, entries = {}, _vector(losses)
    return LossValues(entries, raw, jnp.sum(entries))


def named(losses: Any, name: str, written: str) -> Any:
    """The raw loss of a name, else the tracker, else the total. Raises ScheduleError, about what was `written`."""
    known = {"total": losses.total} | losses.trackers | losses.raw
    if name not in known:
        names = [*losses.raw, *losses.trackers]
        there = f"there are {listed(names)}" if names else "no loss has a name here"
        raise ScheduleError(
            f"{written}: no loss or tracker is called so; {there}.{did_you_mean(name, known)} Name a loss with "
            '.named("pde") and a number that is watched with .tracker("error"), or write losses[0] for the first entry.'
        )
    return known[name]


def _vector(values: Any) -> Float[Array, " k"]:
    try:
        vector = jnp.asarray(values, dtype=jnp.result_type(float))
    except (TypeError, ValueError) as wrong:
        raise ScheduleError(f"Losses are a list, an array or a dict of numbers; got {values!r} ({wrong}).") from None
    if vector.ndim != 1 or not vector.size:
        raise ScheduleError(
            f"Losses are a list, an array or a dict of numbers, one for each entry; got shape "
            f"{vector.shape}. Reduce each loss to a scalar, and write [loss] for a single one."
        )
    return vector
