"""Unknown numbers, trained like a field and used like a number."""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, ArrayLike, Float

from pinnace._errors import FieldError
from pinnace.expr import Expr
from pinnace.optim import Trainable


class Free(eqx.Module):
    """A number without bounds: the trained value is the number itself."""

    raw: Array

    def __call__(self) -> Array:
        return self.raw


class Positive(eqx.Module):
    """A positive number: its logarithm is trained."""

    raw: Array

    def __call__(self) -> Array:
        return jnp.exp(self.raw)


class Bounded(eqx.Module):
    """A number between two bounds: the logit of its relative position is trained."""

    raw: Array
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)

    def __call__(self) -> Array:
        return self.low + (self.high - self.low) * jax.nn.sigmoid(self.raw)


class Unknown(Trainable):
    """The trainable behind a parameter."""

    stem = "p"


class Parameter(Expr):
    """An unknown number: an expression that is trained. Made by `pn.parameter`."""

    __slots__ = ()

    @property
    def value(self) -> Array:
        """The number as it stands: the first guess, or what the last `solve` left."""
        return self.data[0].module()

    def optimizer(self, tx: optax.GradientTransformation, *, filter: Any = True) -> Self:
        """Train with this optax transformation; see `Trainable.optimizer`."""
        self.data[0].optimizer(tx, filter=filter)
        return self

    def scale(self, schedule: Any) -> Self:
        """Multiply the updates by this rate at each step; see `Trainable.scale`."""
        self.data[0].scale(schedule)
        return self

    def freeze(self, filter: Any = True) -> Self:
        """Keep the number as it is; see `Trainable.freeze`."""
        self.data[0].freeze(filter)
        return self


def parameter(
    value: Float[ArrayLike, "*shape"],
    name: str | None = None,
    *,
    positive: bool = False,
    bounds: tuple[float, float] | None = None,
) -> Parameter:
    """An unknown number (or array), trained like a field and used like a number, from a first guess.

    `positive=True` trains its logarithm, `bounds=(low, high)` keeps it strictly between two numbers.
    Raises FieldError where the guess is not finite or lies outside.

    >>> import pinnace as pn
    >>> nu = pn.parameter(0.1, name="nu", positive=True)
    >>> print(2 * nu)
    2 * nu
    """
    guess = np.asarray(value)
    if not (guess.dtype.kind in "iuf" and np.all(np.isfinite(guess))):
        raise FieldError(f"a parameter starts from a finite number; got {value!r}.")
    if positive and bounds is not None:
        raise FieldError("a parameter is either positive or bounded; bounds=(0, high) makes it both.")
    unknown = Unknown(_module(guess, positive, bounds), name)
    return Parameter("parameter", (), (unknown, guess.shape))


def _module(guess: np.ndarray, positive: bool, bounds: tuple[float, float] | None) -> eqx.Module:
    dtype = jnp.result_type(float)
    if positive:
        if np.any(guess <= 0):
            raise FieldError(f"a positive parameter starts from a positive number; got {guess}.")
        return Positive(jnp.asarray(np.log(guess), dtype))
    if bounds is not None:
        low, high = _ends(bounds)
        if not (np.isfinite(low) and np.isfinite(high) and np.all((low < guess) & (guess < high))):
            raise FieldError(
                f"bounds are two finite numbers (low, high) with low < guess < high; got bounds={bounds} and guess "
                f"{guess}."
            )
        share = (guess - low) / (high - low)
        return Bounded(jnp.asarray(np.log(share / (1 - share)), dtype), float(low), float(high))
    return Free(jnp.asarray(guess, dtype))


def _ends(bounds: Any) -> tuple[float, float]:
    """The two bounds; NaN for what is no pair of numbers."""
    ends = np.asarray(bounds)
    return tuple(ends.tolist()) if ends.shape == (2,) and ends.dtype.kind in "iuf" else (np.nan, np.nan)
