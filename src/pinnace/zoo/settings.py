"""The numbers and choices of a problem: declared with a meaning, checked, and read from text."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any

from pinnace import PinnaceError
from pinnace._errors import did_you_mean, listed


class SettingError(PinnaceError):
    """A setting that does not exist, or a value that it cannot have."""


def setting(
    default: bool | float | str,
    meaning: str,
    *,
    choices: Sequence[str] = (),
    least: float = 0,
    most: float = math.inf,
) -> Any:
    """A field of a problem that users may change.

    `meaning` says what it is; a text may be limited to `choices`. A whole number is at least 1, another number
    more than 0, unless `least` is given and not 0; neither is more than `most`.

    >>> setting(0.1, "viscosity").metadata["meaning"]
    'viscosity'
    """
    return field(
        default=default, metadata={"meaning": meaning, "choices": tuple(choices), "least": least, "most": most}
    )


def settings_of(problem: Any) -> dict[str, Field[Any]]:
    """The settings of a problem, or of a class of problems, by name, in the order in which they are declared."""
    return {one.name: one for one in fields(problem) if one.default is not MISSING}


def check(name: str, value: Any, declared: Field[Any]) -> None:
    """Raise SettingError for a value that the setting cannot have."""
    meaning, choices = declared.metadata["meaning"], declared.metadata["choices"]
    kind = type(declared.default)
    if kind is str:
        if not isinstance(value, str) or (choices and value not in choices):
            known = f"one of {listed(choices)}" if choices else "a text"
            raise SettingError(f"{name} ({meaning}) is {known}; got {value!r}.{did_you_mean(value, choices)}")
        return
    allowed = {bool: (bool,), int: (int,), float: (int, float)}[kind]
    if (isinstance(value, bool) and kind is not bool) or not isinstance(value, allowed):
        raise SettingError(f"{name} ({meaning}) is {NOUNS[kind]}; got {value!r}.")
    if kind is not bool:
        _check_range(name, value, declared)


NOUNS = {bool: "true or false", int: "a whole number", float: "a number"}
"""What the values of a type are called."""


def _check_range(name: str, value: float, declared: Field[Any]) -> None:
    least, most = declared.metadata["least"], declared.metadata["most"]
    whole = isinstance(declared.default, int)
    above = value >= 1 if whole and not least else value > 0 if not least else value >= least
    if not (math.isfinite(value) and above and value <= most):
        low = "1 or more" if whole and not least else "more than 0" if not least else f"{least:g} or more"
        high = f", {most:g} or less" if math.isfinite(most) else ""
        raise SettingError(f"{name} ({declared.metadata['meaning']}) is {low}{high}; got {value!r}.")


def read(problem: Any, texts: Iterable[str]) -> dict[str, Any]:
    """The values in texts such as "width=32", each in the type of its setting.

    Raises SettingError for a key that the problem does not have and for a value of another type.

    >>> from pinnace import zoo
    >>> read(zoo.Burgers, ["width=32", "rate=1e-3"])
    {'width': 32, 'rate': 0.001}
    """
    known = settings_of(problem)
    found = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise SettingError(f'a setting is written key=value, for example width=32; got "{text}".')
        found[_known(problem, name, known)] = _value(name, value, known[name])
    return found


def _known(problem: Any, name: str, known: Mapping[str, Any]) -> str:
    if name not in known:
        raise SettingError(
            f'{problem.name} has no setting "{name}".{did_you_mean(name, known)} It has {", ".join(known)}.'
        )
    return name


def _value(name: str, text: str, declared: Field[Any]) -> Any:
    kind = type(declared.default)
    if kind is str:
        return text
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        number = None
    if kind is bool or number is None or (kind is int and not number.is_integer()):
        raise SettingError(f'{name} ({declared.metadata["meaning"]}) is {NOUNS[kind]}; got "{text}".')
    return int(number) if kind is int else number
