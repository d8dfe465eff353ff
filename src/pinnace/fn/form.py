"""How the step calls a cell: what it makes of the values that the cell sees, and of what the cell gives back."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, PyTree


@dataclass(frozen=True)
class Form(ABC):
    """One way to call a cell. Equal forms share a compilation."""

    size: int
    """How many weights the cell gives."""

    @abstractmethod
    def start(self, cell: Any) -> PyTree:
        """The first state."""

    @abstractmethod
    def update(
        self, cell: Any, values: Sequence[Array], state: PyTree, signals: Mapping[str, Any]
    ) -> tuple[Array, PyTree]:
        """The weights as one vector, and the next state."""


@dataclass(frozen=True)
class OfLosses(Form):
    """A balancer: one weight a loss, losses as a vector, or by name where the user named them."""

    keys: tuple[str, ...] | None = None

    def start(self, cell: Any) -> PyTree:
        return cell.init(dict.fromkeys(self.keys, 0.0) if self.keys else self.size)

    def update(
        self, cell: Any, values: Sequence[Array], state: PyTree, signals: Mapping[str, Any]
    ) -> tuple[Array, PyTree]:
        vector = jnp.stack([jnp.asarray(value) for value in values[: self.size]])
        losses = dict(zip(self.keys, vector, strict=True)) if self.keys else vector
        behind = {"residuals": tuple(values[self.size :])} if len(values) > self.size else {}
        named = {name: self._named(name, value) for name, value in {**signals, **behind}.items()}
        weights, state = cell.update(losses, state, **named)
        return jnp.stack([weights[key] for key in self.keys]) if self.keys else jnp.asarray(weights), state

    def _named(self, name: str, signal: Any) -> Any:
        """A signal that has one part a loss, by name where losses are."""
        one_each = name in ("grads", "traces", "residuals")
        return dict(zip(self.keys, signal, strict=True)) if self.keys and one_each else signal


@dataclass(frozen=True)
class OfPoints(Form):
    """Point weights: one a point, from the residual there and, for those that ask, coordinates."""

    def start(self, cell: Any) -> PyTree:
        return cell.init(self.size)

    def update(
        self, cell: Any, values: Sequence[Array], state: PyTree, signals: Mapping[str, Any]
    ) -> tuple[Array, PyTree]:
        residual, *coordinates = values
        weights, state = cell.update(residual, state, *coordinates)
        return jnp.asarray(weights), state
