"""What goes wrong, told in the user's own notation: what was got, what was expected, what to do."""

import difflib
import re
from collections.abc import Iterable

QUOTED = re.compile(r"`([^`]{300,})`")
"""An expression in a message that is too long to be read."""


class PinnaceError(ValueError):
    """Any mistake that pinnace finds in what the user wrote; of long expressions it shows both ends.

    >>> len(str(PinnaceError(f"`{'x + ' * 1000}1` has no value.")))
    241
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(QUOTED.sub(lambda found: f"`{found[1][:160]} ... {found[1][-60:]}`", str(message)))


class ExpressionError(PinnaceError):
    """An expression that has no meaning: shapes, point sets or coordinates that do not fit."""


class DomainError(PinnaceError):
    """A shape, region or sampler that does not exist or cannot hold points."""


class FieldError(PinnaceError):
    """A network or parameter that does not fit its arguments, or has no optimizer."""


class ScheduleError(PinnaceError):
    """A learning rate that cannot be evaluated inside the step, or has wrong numbers."""


class BalanceError(PinnaceError):
    """A loss balancer with wrong arguments."""


class SurgeryError(PinnaceError):
    """Gradients that cannot be combined into one direction."""


class LoweringError(PinnaceError):
    """A problem that cannot be compiled into a step."""


class CheckpointError(PinnaceError):
    """A file that does not hold the state of this problem."""


class NonFiniteError(PinnaceError, ArithmeticError):
    """A loss that became NaN or infinite, under `on_nonfinite="raise"`."""


class PinnaceWarning(UserWarning):
    """Something that works but is probably not what was meant."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The sentence that ends an error about a misspelt word; empty where nothing known is near.

    >>> did_you_mean("interor", ["interior", "boundary"])
    ' Did you mean "interior"?'
    """
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f' Did you mean "{near[0]}"?' if near else ""


def listed(words: Iterable[object]) -> str:
    """Words in quotes, as a sentence lists them.

    >>> listed(["a", "b"])
    '"a", "b"'
    """
    return ", ".join(f'"{word}"' for word in words)
