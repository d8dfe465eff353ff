"""What a sink is."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable


class Sink(Protocol):
    """Anything that takes what a step logged: `sink(step, values)`, steps in order, values NumPy numbers or arrays.

    Names of trackers with `every > 1` are missing between.
    """

    def __call__(self, step: int, values: Mapping[str, Any], /) -> Any:
        """Take the values of one step."""


@runtime_checkable
class Flushing(Protocol):
    """A sink that holds rows back: `solve` calls `flush` after each chunk of steps and at the end."""

    def flush(self) -> Any:
        """Write what was held back."""
