"""Points that go where the residual is large: how one round moves them. Pure; knows no shapes and no losses.

A rule is given the points, `draw(key)`, which gives as many fresh ones, and `size(points)`, the magnitude of the
residual at any points `[n, d]` as `[n]`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Key

Draw = Callable[[Key[Array, ""]], Float[Array, "n d"]]
Size = Callable[[Float[Array, "n d"]], Float[Array, "n"]]


@dataclass(frozen=True)
class Rule(ABC):
    """What happens to the points of one set every so many steps."""

    def check(self, n: int) -> None:
        """Raise ValueError where the rule does not go with n points."""
        return

    @abstractmethod
    def move(
        self, points: Float[Array, "n d"], draw: Draw, size: Size, key: Key[Array, ""], turn: Int[Array, ""]
    ) -> Float[Array, "n d"]:
        """The points after a round; `turn` counts rounds from 0."""


@dataclass(frozen=True)
class Rad(Rule):
    """All points anew, from a pool of candidates, with the density of their residuals."""

    k: float
    c: float
    pool: int
    """Candidates for each point."""

    def move(self, points: Any, draw: Draw, size: Size, key: Any, turn: Any) -> Any:
        return _chosen(self.k, self.c, self.pool, len(points), draw, size, key)


@dataclass(frozen=True)
class RarD(Rule):
    """Some points anew a round, in turn; those before `kept` stay as they are."""

    k: float
    c: float
    pool: int
    add: int
    kept: int

    def check(self, n: int) -> None:
        if self.add + self.kept > n:
            raise ValueError(f"{self.kept} points that stay and {self.add} new ones a round are more than all {n}")

    def move(self, points: Any, draw: Draw, size: Size, key: Any, turn: Any) -> Any:
        places = self.kept + (turn * self.add + jnp.arange(self.add)) % (len(points) - self.kept)
        return points.at[places].set(_chosen(self.k, self.c, self.pool, self.add, draw, size, key))


@dataclass(frozen=True)
class R3(Rule):
    """The points with a residual above the mean stay, the others are drawn again."""

    def move(self, points: Any, draw: Draw, size: Size, key: Any, turn: Any) -> Any:
        sizes = _finite(size(points))
        stays = sizes > jnp.mean(sizes)
        return jnp.where(stays[:, None], points, draw(key))


def density(sizes: Float[Array, "n"], k: float, c: float) -> Float[Array, "n"]:
    """How likely each candidate is, up to a factor: `|r|^k / mean |r|^k + c`; all alike where r is zero.

    >>> print(density(jnp.array([1.0, 3.0]), 1.0, 1.0), density(jnp.zeros(2), 1.0, 0.0))
    [1.5 2.5] [1. 1.]
    """
    largest = jnp.max(sizes)
    # divided by the largest first, so that no power overflows
    powers = (sizes / jnp.where(largest > 0, largest, 1)) ** k
    return jnp.where(largest > 0, powers / jnp.mean(powers), 1) + c


def _chosen(k: float, c: float, pool: int, count: int, draw: Draw, size: Size, key: Any) -> Array:
    """So many of the candidates, none twice."""
    choice, *draws = jax.random.split(key, pool + 1)
    # one draw after the other: what a residual needs is needed for n points at once, not for all of the pool
    candidates, sizes = lax.map(lambda key: (drawn := draw(key), size(drawn)), jnp.stack(draws))
    candidates, sizes = candidates.reshape(-1, candidates.shape[-1]), _finite(sizes.reshape(-1))
    # the largest of log p + Gumbel noise are a sample without replacement (Efraimidis & Spirakis 2006)
    scores = jnp.log(density(sizes, k, c)) + jax.random.gumbel(choice, sizes.shape, sizes.dtype)
    return candidates[lax.top_k(scores, count)[1]]


def _finite(sizes: Float[Array, "n"]) -> Float[Array, "n"]:
    return jnp.where(jnp.isfinite(sizes), sizes, 0)
