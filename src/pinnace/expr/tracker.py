"""What is logged beside the losses."""

from dataclasses import dataclass
from typing import Any

from pinnace._errors import ExpressionError
from pinnace.expr.text import text


@dataclass(frozen=True, eq=False)
class Tracker:
    """An entry of `core` that is logged and adds nothing to the loss: made by `expr.tracker(name, every)`."""

    expr: Any
    name: str | None = None
    every: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.every, bool) or not isinstance(self.every, int) or self.every < 1:
            raise ExpressionError(f"a tracker logs every 1, 2, ... steps; got every={self.every!r}.")
        if self.name is not None and not (isinstance(self.name, str) and self.name.strip()):
            raise ExpressionError(f"the name of a tracker is a text; got {self.name!r}.")

    def __repr__(self) -> str:
        return f"`{self.name or text(self.expr)}` tracked every {self.every} step{'s' * (self.every > 1)}"
