"""The numbers and choices of a problem: declared with a meaning, checked, and read from text."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import Field, field, fields
from typing import Any

from pinnace import PinnaceError
from pinnace._errors import did_you_mean, listed

NOUNS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
"""What the values of a type are called."""


LARGEST = 2**31 - 1
"""The largest whole number: what a counter on a device holds."""


class SettingError(PinnaceError):
    """A setting that does not exist, or a value that it cannot have."""


def setting(default: bool | float | str, meaning: str, *, choices: Sequence[str] = (), zero: bool = False) -> Any:
    """A field of a problem that users may change; its values have the type of `default`.

    `meaning` says what it is. Numbers are positive, or 0 where `zero` allows it; a text may be limited to `choices`.

    >>> setting(0.1, "viscosity").metadata["meaning"]
    'viscosity'
    """
    return field(default=default, metadata={"meaning": meaning, "choices": tuple(choices), "zero": zero})


def settings_of(problem: Any) -> dict[str, Field[Any]]:
    """The settings of a problem, or of a class of problems, by name, in the order in which they are declared."""
    return {one.name: one for one in fields(problem)}


def check(name: str, value: Any, declared: Field[Any]) -> None:
    """Raise SettingError for a value that the setting cannot have."""
    meaning, choices, zero = (declared.metadata[word] for word in ("meaning", "choices", "zero"))
    kind = type(declared.default)
    fits = isinstance(value, (int, float) if kind is float else kind)
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise SettingError(f"{name} ({meaning}) is {NOUNS[kind]}; got {value!r}.")
    if choices and value not in choices:
        raise SettingError(
            f"{name} ({meaning}) is one of {listed(choices)}; got {value!r}.{did_you_mean(value, choices)}"
        )
    if isinstance(value, int) and abs(value) > LARGEST:
        raise SettingError(f"{name} ({meaning}) is at most {LARGEST}; got a larger one.")
    if kind in (int, float) and not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
        raise SettingError(
            f"{name} ({meaning}) is {NOUNS[kind]}, {'0 or more' if zero else 'more than 0'}; got {value!r}."
        )


def fitted(name: str, value: Any, declared: Field[Any]) -> Any:
    """The value in the type of its setting: 1e4 is a whole number, and 1 is a number.

    Raises SettingError for a value that the setting cannot have.

    >>> from pinnace import zoo
    >>> fitted("width", 1e2, settings_of(zoo.Burgers)["width"])
    100
    """
    kind = type(declared.default)
    if kind is int and isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    check(name, value, declared)
    return kind(value)


def from_text(name: str, text: str, declared: Field[Any]) -> Any:
    """The value that a text writes, in the type of its setting.

    Raises SettingError for the text of another type.

    >>> from pinnace import zoo
    >>> from_text("rate", "1e-3", settings_of(zoo.Burgers)["rate"])
    0.001
    """
    kind = type(declared.default)
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return _whole(float(text)) if kind is int else kind(text)
    except (ValueError, KeyError, OverflowError):
        raise SettingError(f'{name} ({declared.metadata["meaning"]}) is {NOUNS[kind]}; got "{text}".') from None


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
        if not (equals and name):
            raise SettingError(f'a setting is written key=value, for example width=32; got "{text}".')
        if name not in known:
            raise SettingError(
                f'{problem.name} has no setting "{name}".{did_you_mean(name, known)} It has {", ".join(known)}.'
            )
        found[name] = from_text(name, value, known[name])
    return found


def _whole(number: float) -> int:
    """1e4 is a whole number, 1.5 is none."""
    if int(number) != number:
        raise ValueError(number)
    return int(number)
