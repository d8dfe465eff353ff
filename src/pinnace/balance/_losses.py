"""The three faces of m losses (vector, sequence, dict), and of numbers given one a loss.

Names are taken in sorted order, as JAX flattens a dict: inside `jit` a dict has no other order.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pinnace._errors import BalanceError, listed

Losses: TypeAlias = Float[Array, " m"] | Sequence[Any] | Mapping[str, Any]


class Named(eqx.Module):
    """Numbers by the name of their loss; unlike a dict hashable, so that `jax.jit(balancer.update)` works."""

    names: tuple[str, ...] = eqx.field(static=True)
    values: tuple[float, ...]

    @classmethod
    def of(cls, numbers: Mapping[str, float]) -> "Named":
        """The numbers of a dict, in the order that names have everywhere here."""
        names = tuple(sorted(numbers))
        return cls(names, tuple(numbers[name] for name in names))


PerLoss: TypeAlias = float | Array | tuple[float, ...] | Named
# What a user writes for it.
Numbers: TypeAlias = float | Sequence[float] | Mapping[str, float] | Array


def how_many(m: int | Losses) -> int:
    """The number of losses meant by a number, or by losses themselves.

    >>> how_many(3), how_many({"pde": 0.1, "bc": 0.2})
    (3, 2)
    """
    if isinstance(m, Mapping | list | tuple):
        number = len(m)
    elif isinstance(m, jax.Array | np.ndarray) and m.ndim == 1:
        number = m.shape[0]
    else:
        try:
            number = operator.index(m)  # pyright: ignore[reportArgumentType]
        except TypeError as error:
            raise BalanceError(
                f"init({m!r}): expected the number of losses, or the losses as a vector, list or dict. "
                "Write for example balancer.init(2)."
            ) from error
    if isinstance(m, bool) or number < 1:
        raise BalanceError(f"init({m!r}): expected at least one loss. Write for example balancer.init(2).")
    return number


def as_vector(losses: Losses, m: int) -> Float[Array, " m"]:
    """The m losses as one vector of floats.

    >>> as_vector({"pde": 2.0, "bc": 1.0}, 2).tolist()
    [1.0, 2.0]
    """
    if isinstance(losses, Mapping):
        values = _stacked([_scalar(f'loss "{name}"', losses[name]) for name in sorted(losses)])
    elif isinstance(losses, list | tuple):
        values = _stacked([_scalar(f"loss {i}", value) for i, value in enumerate(losses)])
    else:
        values = jnp.asarray(losses)
    if jnp.issubdtype(values.dtype, jnp.complexfloating):
        raise BalanceError(f"update got {values.dtype} losses, expected real ones. Take their absolute values.")
    if values.shape != (m,):
        raise BalanceError(
            f"update got losses of shape {values.shape}, but the state was made for {m}: expected shape "
            f"({m},). Make the state with init(number of losses); for batches of losses use jax.vmap."
        )
    return values if jnp.issubdtype(values.dtype, jnp.floating) else values.astype(float)


def _stacked(scalars: list[Array]) -> Array:
    return jnp.stack(scalars) if scalars else jnp.zeros(0)


def _scalar(name: str, value: Any) -> Array:
    value = jnp.asarray(value)
    if value.ndim:
        raise BalanceError(
            f"update got {name} of shape {value.shape}, but a balancer weighs scalars. "
            "Reduce it, for example with jnp.mean."
        )
    return value


def in_the_face_of(losses: Losses, weights: Float[Array, " m"]) -> Float[Array, " m"] | dict[str, Array]:
    """The weights as a dict where the losses are one, else the vector."""
    if not isinstance(losses, Mapping):
        return weights
    position = {name: i for i, name in enumerate(sorted(losses))}
    return {name: weights[position[name]] for name in losses}


def spread(numbers: PerLoss, m: int, dtype: Any) -> Float[Array, " m"]:
    """Numbers given once, or one a loss, as a vector.

    >>> spread((1.0, 2.0), 2, float).tolist(), spread(0.5, 2, float).tolist()
    ([1.0, 2.0], [0.5, 0.5])
    """
    if isinstance(numbers, Named):
        numbers = numbers.values
    return jnp.broadcast_to(jnp.asarray(numbers, dtype), (m,))


def check_fit(argument: str, numbers: PerLoss, losses: int | Losses, m: int) -> None:
    """An error where numbers given one a loss do not belong to these losses."""
    names = tuple(sorted(losses)) if isinstance(losses, Mapping) else ()
    if isinstance(numbers, Named) and not names:
        raise BalanceError(
            f"{argument} was given by name ({listed(numbers.names)}), but the losses have no names. "
            "Give the losses as a dict, or the numbers as a list."
        )
    if isinstance(numbers, Named) and numbers.names != names:
        raise BalanceError(
            f"{argument} was given for {listed(numbers.names)}, but the losses are {listed(names)}. "
            "Give one number for each loss."
        )
    if isinstance(numbers, tuple) and names:
        raise BalanceError(
            f"{argument} is a list, but the losses are a dict, which has no order inside jit. "
            f"Write {argument}={{{', '.join(f'{name!r}: ...' for name in names)}}}."
        )
    number = len(numbers) if isinstance(numbers, tuple) else m
    if isinstance(numbers, jax.Array) and numbers.ndim:
        number = numbers.shape[0]
    if number != m:
        raise BalanceError(
            f"{argument} has {number} numbers, but there are {m} losses. Give one for each, or one for all."
        )
