"""Checks of what a user gives to a factory. Numbers become plain Python ones; traced ones pass unchecked."""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from pinnace._errors import BalanceError, did_you_mean, listed
from pinnace.balance._losses import Named, PerLoss
from pinnace.balance._mode import MODES

# Past it a number cannot be an argument of a jitted function with JAX's default integers.
LARGEST_INT = 2**31 - 1
ANY = math.inf


class Arguments(NamedTuple):
    """The arguments of one factory, checked one by one."""

    factory: Callable[..., Any]

    def real(
        self,
        name: str,
        value: Any,
        *,
        above: float = -ANY,
        least: float = -ANY,
        most: float = ANY,
        below: float = ANY,
    ) -> Any:
        """A finite number above `above`, at least `least`, at most `most` and below `below`."""
        value = _plain(value)
        if isinstance(value, Tracer):
            return value
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
        if not (math.isfinite(number) and above < number < below and least <= number <= most):
            limits = (("above", above), ("at least", least), ("at most", most), ("below", below))
            bounds = " and ".join(f"{word} {limit:g}" for word, limit in limits if math.isfinite(limit))
            raise self._error(name, value, f"a finite number {bounds}".rstrip())
        return number

    def whole(self, name: str, value: Any, *, least: int) -> Any:
        """An integer at least `least` that fits into 32 bits."""
        value = _plain(value)
        if isinstance(value, Tracer):
            return value
        number = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else -1
        if not least <= number <= LARGEST_INT:
            raise self._error(name, value, f"a whole number from {least} to {LARGEST_INT}")
        return number

    def kind(self, name: str, value: Any, known: Iterable[str]) -> str:
        """One of the known words."""
        known = list(known)
        if not isinstance(value, str) or value not in known:
            raise self._error(name, value, f"one of {listed(known)}", did_you_mean(value, known))
        return value

    def flag(self, name: str, value: Any) -> bool:
        """True or False."""
        if not isinstance(value, bool):
            raise self._error(name, value, "True or False")
        return value

    def per_loss(self, name: str, value: Any, *, least: float = -ANY, most: float = ANY) -> PerLoss:
        """A number for all losses, or one for each in a sequence or a dict."""
        value = _plain(value)
        if isinstance(value, Mapping) and value:
            checked = (self.real(f"{name}[{key!r}]", x, least=least, most=most) for key, x in value.items())
            return Named.of(dict(zip(value, checked, strict=True)))
        if isinstance(value, list | tuple) and value:
            return tuple(self.real(f"{name}[{i}]", x, least=least, most=most) for i, x in enumerate(value))
        return self.real(name, value, least=least, most=most)

    def common(self, mode: str, every: Any, min_weight: Any, max_weight: Any) -> dict[str, Any]:
        """What every balancer takes."""
        low = None if min_weight is None else self.real("min_weight", min_weight, least=0)
        high = None if max_weight is None else self.real("max_weight", max_weight, above=0)
        if isinstance(low, float) and isinstance(high, float) and low > high:
            raise BalanceError(
                f"{self.factory.__name__} got min_weight = {low:g} and max_weight = {high:g}, but expected "
                "min_weight <= max_weight. Give a smaller min_weight, or None for no clamp."
            )
        return {
            "mode": self.kind("mode", mode, MODES),
            "every": self.whole("every", every, least=1),
            "min_weight": low,
            "max_weight": high,
        }

    def _error(self, name: str, value: Any, expected: str, hint: str = "") -> BalanceError:
        shown = f'"{value}"' if isinstance(value, str) else repr(value)
        default = inspect.signature(self.factory).parameters[name.partition("[")[0]].default
        usual = "" if default is inspect.Parameter.empty else f" The default is {default!r}."
        return BalanceError(
            f"{self.factory.__name__} got {name} = {shown}, but {name} must be {expected}.{hint}{usual}"
        )


def _plain(value: Any) -> Any:
    """Concrete arrays and NumPy numbers as Python numbers, or as lists of them."""
    if isinstance(value, Tracer) or not isinstance(value, jax.Array | np.ndarray | np.generic):
        return value
    return np.asarray(value).tolist()
