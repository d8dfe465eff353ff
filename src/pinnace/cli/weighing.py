"""How losses are weighed, from keys such as `loss.adaptive.strategy` and `loss.w_pde`."""

import ast
import inspect
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pinnace import PinnaceError, balance, zoo
from pinnace._errors import did_you_mean, listed
from pinnace.cli.config import Given, Layer

BALANCER, LOSS, ADAPTIVE, WEIGHTS = "balancer", "loss.", "loss.adaptive.", "loss.weights."
NONE, FIXED, USUAL = "none", "fixed", "equal_init"
SPECIAL = ("enabled", "strategy", "ema_alpha", "update_frequency")
INITIAL = "initial_weights"
AVERAGES = ("ema", "equal_init_ema")
"""The balancers whose `alpha` is that of a moving average of the losses."""
LARGEST = 2**31 - 1


@dataclass
class Weighing:
    """A balancer that sources change one after the other, each what it names."""

    name: str
    arguments: dict[str, Any]
    chosen: bool = False
    """Whether a source said which balancer, or the problem's own is still there."""
    enabled: bool = True
    average: Given | None = None
    period: Given | None = None
    weights: dict[str, Given] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, balancer: str) -> "Weighing":
        """The balancer of a problem."""
        return cls(*zoo.called(balancer))

    def change(self, layer: Layer) -> None:
        """What one source says.

        Raises SettingError for a key that means nothing and for a value of the wrong type.
        """
        strategy = layer.get(f"{ADAPTIVE}strategy")
        if BALANCER in layer and strategy is not None:
            raise strategy.mistake("balancer and loss.adaptive.strategy say the same; give one of them.")
        if BALANCER in layer:
            self._whole(layer[BALANCER])
        if strategy is not None:
            self._strategy(strategy)
        for key, given in layer.items():
            if f"{key}." in (LOSS, ADAPTIVE, WEIGHTS):
                raise given.mistake(f"{key} is a table of keys; got {given.value!r}.")
            if key.startswith(ADAPTIVE):
                self._adaptive(key.removeprefix(ADAPTIVE), given)
            elif key.startswith(LOSS):
                self.weights[key] = Given(_number(key, given), given.file)
        if (switch := layer.get(f"{ADAPTIVE}enabled")) is not None:
            self._switch(switch)

    def balancer(self, losses: Sequence[str]) -> str:
        """The balancer as a name or call, for losses of these names.

        Raises SettingError for a weight of a loss that the problem does not have, and for arguments that do not fit.
        """
        given = {_loss(key, one, losses): one.value for key, one in self.weights.items()}
        weights = [given.get(name, 1.0) for name in losses]
        name, arguments = self.name, dict(self.arguments)
        if not self.enabled or (given and not self.chosen):
            name, arguments = (FIXED if given else NONE), {}
        known = _arguments(name)
        if given and name == FIXED:
            arguments.setdefault("weights", weights)
        elif given and INITIAL in known:
            arguments.setdefault(INITIAL, weights)
        elif given and any(weight != 1 for weight in weights):
            self._idle(next(iter(self.weights)), name)
        self._spread(name, known, arguments)
        text = f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})" if arguments else name
        return text

    def _whole(self, given: Given) -> None:
        if not isinstance(given.value, str):
            raise given.mistake(f'balancer is a name, or a call such as "softadapt(beta=0.5)"; got {given.value!r}.')
        try:
            self.name, self.arguments = zoo.called(given.value)
            if (self.name, self.arguments) != (FIXED, {}):  # its weights may stand elsewhere
                zoo.balancer_of(given.value)
        except PinnaceError as wrong:
            raise given.mistake(str(wrong)) from None
        self.chosen = self.enabled = True
        self.average = self.period = None

    def _strategy(self, given: Given) -> None:
        known = [*balance.BALANCERS, NONE]
        if given.value not in known:
            raise given.mistake(
                f"loss.adaptive.strategy is one of {listed(known)}; got {given.value!r}."
                f"{did_you_mean(given.value, known)}"
            )
        if given.value != self.name:
            self.name, self.arguments = str(given.value), {}
        self.chosen = self.enabled = True

    def _switch(self, given: Given) -> None:
        value = {"true": True, "false": False}.get(given.value) if isinstance(given.value, str) else given.value
        if not isinstance(value, bool):
            raise given.mistake(f"loss.adaptive.enabled is true or false; got {given.value!r}.")
        if value and self.name in (NONE, FIXED) and not self.chosen:
            self.name, self.arguments = USUAL, {}
        self.enabled, self.chosen = value, True

    def _adaptive(self, key: str, given: Given) -> None:
        match key:
            case "ema_alpha":
                self.average = Given(_number(f"{ADAPTIVE}{key}", given, 1), given.file)
            case "update_frequency":
                self.period = Given(_steps(f"{ADAPTIVE}{key}", given), given.file)
            case "strategy" | "enabled":
                pass
            case _:
                self._argument(key, given)

    def _argument(self, key: str, given: Given) -> None:
        argument = "beta" if key == "ema_beta" else key
        known = [*SPECIAL, *_arguments(self.name)]
        if argument not in known:
            raise given.mistake(
                f"loss.adaptive.{key} means nothing to {self.name}.{did_you_mean(key, known)} "
                f"It has {', '.join(known)}."
            )
        value = _plain(f"{ADAPTIVE}{key}", given)
        self.arguments[argument] = value
        if self.name == FIXED:  # needs its weights, which may stand elsewhere
            return
        try:
            balance.by_name(self.name, **self.arguments)
        except PinnaceError as wrong:
            raise given.mistake(f"{ADAPTIVE}{key}: {wrong}") from None

    def _spread(self, name: str, known: Sequence[str], arguments: dict[str, Any]) -> None:
        """What the specification's two words mean to the balancer: its moving average, and its period."""
        average = "ema" if "ema" in known else "alpha" if name in AVERAGES else ""
        for given, argument, word in ((self.average, average, "ema_alpha"), (self.period, "every", "update_frequency")):
            if given is None:
                continue
            if argument in known:
                arguments[argument] = given.value
            elif self.enabled:
                self._idle(f"{ADAPTIVE}{word}", name)

    def _idle(self, key: str, name: str) -> None:
        self.notes.append(f"{key} has no effect on {name}.")


def _arguments(name: str) -> list[str]:
    """The arguments of a balancer, none for "none"."""
    return list(inspect.signature(balance.BALANCERS[name]).parameters) if name in balance.BALANCERS else []


def _loss(key: str, given: Given, losses: Sequence[str]) -> str:
    """The loss that a key is the weight of: by its name, as w_NAME, or as w1_PI, the first of PI_u, PI_v."""
    word = key.removeprefix(WEIGHTS).removeprefix(LOSS)
    for name in (word, word.removeprefix("w_")):
        if name in losses:
            return name
    if numbered := re.fullmatch(r"w_?(\d{1,3})_(\w+)", word):
        group = [name for name in losses if name.lower().startswith(f"{numbered[2].lower()}_")]
        if 1 <= int(numbered[1]) <= len(group):
            return group[int(numbered[1]) - 1]
    known = [*losses, *(f"w_{name}" for name in losses), "adaptive", "weights"]
    raise given.mistake(f"{key} is the weight of no loss.{did_you_mean(word, known)} The losses are {listed(losses)}.")


def _number(key: str, given: Given, most: float = math.inf) -> float:
    value = _plain(key, given)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        range_ = "0 or more" if most == math.inf else f"from 0 to {most:g}"
        raise given.mistake(f"{key} is a number, {range_}; got {given.value!r}.")
    return float(value)


def _steps(key: str, given: Given) -> int:
    value = _plain(key, given)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or value < 1:
        raise given.mistake(f"{key} is a whole number of steps, 1 or more; got {given.value!r}.")
    return int(value)


def _plain(key: str, given: Given) -> Any:
    """A finite number, a text, true, false, or a list of numbers; what the command line has as text is read."""
    value = given.value
    if given.file is None and isinstance(value, str):
        try:
            value = {"true": True, "false": False}.get(value) if value in ("true", "false") else ast.literal_eval(value)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
    for part in value if isinstance(value, list) and value else [value]:
        number = isinstance(part, int | float) and abs(part) <= LARGEST
        if not (number or (isinstance(part, str | bool) and not isinstance(value, list))):
            raise given.mistake(
                f"{key} is a finite number, a text, true or false, or a list of numbers; got {given.value!r}."
            )
    return value
