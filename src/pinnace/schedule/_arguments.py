"""Checks of what a user gives to a factory. Numbers become plain Python ones; traced ones pass unchecked."""

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from pinnace._errors import ScheduleError

LARGEST_INT = 2**31 - 1
"""Past it a number cannot be an argument of a jitted function with JAX's default integers."""


class Arguments(NamedTuple):
    """The arguments of one factory, called `name` by its users, checked one by one."""

    name: str

    def real(
        self,
        argument: str,
        value: Any,
        *,
        above: float = -math.inf,
        least: float = -math.inf,
        below: float = math.inf,
        most: float = math.inf,
    ) -> Any:
        """A finite number above `above`, at least `least`, below `below` and at most `most`, as a float."""
        if is_traced(value):
            return value
        number = _plain(value)
        if _is_real(number) and math.isfinite(number) and above < number < below and least <= number <= most:
            return float(number)
        words = {"above": above, "at least": least, "below": below, "at most": most}
        bounds = " and ".join(f"{word} {bound:g}" for word, bound in words.items() if math.isfinite(bound))
        raise self.error(argument, value, f"a finite number {bounds}".rstrip())

    def whole(self, argument: str, value: Any, *, least: int = -LARGEST_INT) -> Any:
        """An integer, also one written as a float (1e4), from `least` up."""
        if is_traced(value):
            return value
        number = _plain(value)
        if _is_real(number) and least <= number <= LARGEST_INT and number == int(number):
            return int(number)
        raise self.error(argument, value, f"a whole number from {least} to {LARGEST_INT}")

    def increasing(self, argument: str, values: Any, *, least: int = -LARGEST_INT) -> tuple[Any, ...]:
        """Integers, each more than the one before."""
        found = [self.whole(f"{argument}[{i}]", v, least=least) for i, v in enumerate(self.several(argument, values))]
        for before, after in pairwise(found):
            if not is_traced(before) and not is_traced(after) and before >= after:
                raise ScheduleError(
                    f"{self.name} got {argument} = {found}, but {after} comes after {before}. "
                    f"Give {argument} that increase."
                )
        return tuple(found)

    def flag(self, argument: str, value: Any) -> bool:
        """True or False."""
        if isinstance(value, bool | np.bool_):
            return bool(value)
        raise self.error(argument, value, "True or False")

    def several(self, argument: str, values: Any, of: str = "numbers") -> Sequence[Any]:
        """A list, a tuple or a one-dimensional array."""
        listed = _plain(values)
        if isinstance(listed, list | tuple | range):
            return listed
        raise self.error(argument, values, f"a list of {of}")

    def name_of(self, argument: str, value: Any) -> str:
        """The name of a loss or tracker."""
        if isinstance(value, str) and value:
            return value
        raise self.error(argument, value, "the name of a loss or tracker")

    def bounds(self, min_lr: Any, max_lr: Any) -> tuple[Any, Any]:
        """What every schedule takes: the clamps, None where there is none."""
        low = None if min_lr is None else self.real("min_lr", min_lr)
        high = None if max_lr is None else self.real("max_lr", max_lr)
        if isinstance(low, float) and isinstance(high, float) and low > high:
            raise ScheduleError(
                f"{self.name} got min_lr = {low:g} and max_lr = {high:g}, but the smallest rate cannot be "
                "above the largest. Give a smaller min_lr, or None for no clamp."
            )
        return low, high

    def error(self, argument: str, value: Any, expected: str) -> ScheduleError:
        """The error for one argument that is not what is expected."""
        return ScheduleError(f"{self.name} got {argument} = {value!r}, but {argument} must be {expected}.")


def is_traced(value: Any) -> bool:
    """Whether a value is a scalar inside a transformation, which has no number to check."""
    return isinstance(value, Tracer) and value.shape == ()


def is_number(value: Any) -> bool:
    """Whether a value is meant as a number, good or bad: scalar arrays are, booleans are not."""
    return is_traced(value) or _is_real(_plain(value))


def _is_real(number: Any) -> bool:
    return isinstance(number, Real | Integral) and not isinstance(number, bool)


def _plain(value: Any) -> Any:
    """Concrete arrays and NumPy numbers as Python numbers, or as lists of them."""
    if isinstance(value, Tracer) or not isinstance(value, jax.Array | np.ndarray | np.generic):
        return value
    return np.asarray(value).tolist()
