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


DEPRECATED = "optimistic_adam"  # Optax warns of it, and has another one for it


def _factories(module: ModuleType, rate: str) -> dict[str, Callable[..., optax.GradientTransformation]]:
    """The functions of a module that make an optimizer of nothing but a rate; those that draw want a key beside it."""
    found = {}
    for name, thing in vars(module).items():
        if isinstance(thing, FunctionType | partial) and not name.startswith(("_", "scale_")) and name != DEPRECATED:
            first, *others = [*inspect.signature(thing).parameters.values(), None]
            free = all(
                one is None or one.default is not inspect.Parameter.empty and one.name != "key" for one in others
            )
            if first is not None and first.name == rate and free:
                found[name] = thing
    return found


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
