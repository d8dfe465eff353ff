"""Optimizers by name: those of Optax, and those that pinnace spells itself."""

import inspect
from collections.abc import Callable
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import optax

import pinnace as pn
from pinnace._errors import did_you_mean
from pinnace.zoo.settings import SettingError

DEPRECATED = {"optimistic_adam"}
"""Of these Optax itself warns."""


def _factories(module: ModuleType, rate: str) -> dict[str, Callable[..., optax.GradientTransformation]]:
    """The functions of a module that make an optimizer of nothing but a rate; those that draw want a key beside it."""
    functions = {name: thing for name, thing in vars(module).items() if isinstance(thing, FunctionType | partial)}
    found = {}
    for name, function in functions.items():
        parameters = inspect.signature(function).parameters
        needed = [one.name for one in parameters.values() if one.default is inspect.Parameter.empty]
        if rate == next(iter(parameters), "") and set(needed) <= {rate} and "key" not in parameters:
            found[name] = function
    return {name: one for name, one in found.items() if not name.startswith(("_", "scale_")) and name not in DEPRECATED}


OPTIMIZERS = {**_factories(optax, "learning_rate"), **_factories(pn.optim, "lr")}
"""The factories by name; where both have one, that of pinnace."""


def optimizer_of(name: str, weight_decay: float = 0.0) -> optax.GradientTransformation:
    """The optimizer of that name at a rate of 1, for a schedule to scale.

    `weight_decay` is what the optimizer calls so; to one that has none, it adds that times the parameters to the
    gradient (Adam, SGD). Raises SettingError for a name that does not exist.

    >>> optimizer_of("adamw", 1e-4).init(0.0)[0].count.item()
    0
    """
    check_optimizer(name)
    factory = OPTIMIZERS[name]
    parameters = inspect.signature(factory).parameters
    numbers: dict[str, Any] = {"weight_decay": weight_decay} if "weight_decay" in parameters else {}
    made = factory(1.0, **numbers)
    if numbers or weight_decay == 0:
        return made
    return optax.chain(optax.add_decayed_weights(weight_decay), made)


def check_optimizer(name: str) -> None:
    """Raise SettingError for the name of no optimizer."""
    if name not in OPTIMIZERS:
        raise SettingError(
            f'there is no optimizer "{name}".{did_you_mean(name, OPTIMIZERS)} '
            f"There are {', '.join(sorted(OPTIMIZERS))}."
        )
