"""What moves the points of a set."""

from dataclasses import dataclass
from typing import Any

from pinnace._errors import ExpressionError
from pinnace.expr.text import text


@dataclass(frozen=True, eq=False)
class Mover:
    """An entry of `core` that moves points and adds nothing to the loss: made by `pn.fn.adaptive.rad(r, every)`.

    `rule` (level points) moves the points of the residual `expr` at the steps every, 2 every, ...
    """

    expr: Any
    rule: Any
    every: int
    name: str

    def __post_init__(self) -> None:
        if isinstance(self.every, bool) or not isinstance(self.every, int) or self.every < 1:
            raise ExpressionError(f"{self.name} moves points every 1, 2, ... steps; got every={self.every!r}.")

    def __repr__(self) -> str:
        return f"{self.name} by `{text(self.expr)}` every {self.every} step{'s' * (self.every > 1)}"
