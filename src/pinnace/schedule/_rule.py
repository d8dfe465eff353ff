"""The contract of everything that decides a rate."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
from jaxtyping import Array, Int, PyTree

from pinnace.schedule._losses import LossValues


class Rule(eqx.Module):
    """A cell whose output is a rate: two pure functions over a frozen pytree.

    Numbers are leaves and plain Python numbers; functions and flags are static. So a rule that is an
    argument of a jitted function compiles nothing for other numbers.
    """

    @property
    def reads_losses(self) -> bool:
        """Whether `update` needs losses."""
        return False

    @property
    def has_state(self) -> bool:
        """Whether the rate depends on what happened before, and not only where a value of now is missing."""
        return False

    def init(self) -> PyTree[Array]:
        """The state before the first step: arrays of fixed shape and dtype."""
        return ()

    @abstractmethod
    def update(self, epoch: Int[Array, ""], losses: LossValues | None, state: PyTree) -> tuple[Any, PyTree]:
        """The rate of this step, and the next state."""


class Curve(Rule):
    """A rule that knows the epoch only."""

    @abstractmethod
    def at(self, t: Int[Array, ""]) -> Any:
        """The rate at epoch t."""

    def update(self, epoch: Int[Array, ""], losses: LossValues | None, state: PyTree) -> tuple[Any, PyTree]:
        return self.at(epoch), state
