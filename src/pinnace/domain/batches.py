"""Large point sets of which each step sees a few: mini-batches, drawn inside the step."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key

from pinnace._errors import DomainError
from pinnace.domain.checks import count
from pinnace.expr import Expr, PointSet
from pinnace.points import shuffled

ORDERS = 2**32 - 1
"""The number under which orders have their key: draws of points use the key itself, and it folded with the step."""


class Batches:
    """A plan that shows some points of another plan at each step, all of them in turn, in an order that is new each
    time round.

    The state is all the points, and what their own plan needs; the order follows from key and step. What the size of
    a batch does not divide is left out in that round.
    """

    moves = True
    redraws = False
    grid = None
    argument = "batch="

    def __init__(self, whole: Any, size: int) -> None:
        self.whole, self.size = whole, size
        self.domain, self.region, self.has_normals = whole.domain, whole.region, whole.has_normals
        self.words, self.range_of, self.normals = whole.words, whole.range_of, whole.normals

    def __reduce__(self) -> tuple[Any, ...]:
        return Batches, (self.whole, self.size)

    @property
    def told(self) -> tuple[Any, ...]:
        """What tells it from plans of other points."""
        return (*self.whole.told, self.size)

    @property
    def measure(self) -> float:
        """The length, area or volume of the region."""
        return self.whole.measure

    @property
    def base(self) -> Any:
        """Arrays that no key changes."""
        return self.whole.base

    def fresh(self, base: Any, key: Key[Array, ""], dtype: DTypeLike) -> Float[Array, "n d"]:
        """The first batch of the points of another key."""
        return self._batch(self.whole.fresh(base, key, dtype), key, 0)

    def init(self, key: Key[Array, ""]) -> tuple[Float[Array, "n d"], Any]:
        """The first batch, and all the points."""
        points, below = self.whole.init(key)
        return self._batch(points, key, 0), (points, below)

    def update(
        self,
        points: Float[Array, "n d"],
        state: Any,
        *,
        step: Int[Array, ""] | int,
        key: Key[Array, ""],
        place: Callable[[Float[Array, "n d"]], Array] = lambda points: points,
    ) -> tuple[Float[Array, "n d"], Any]:
        """The batch of this step, from all the points, which their own plan may have drawn anew."""
        everything, below = state
        if self.whole.moves:
            everything, below = self.whole.update(everything, below, step=step, key=key)
        return place(self._batch(everything, key, step)), (everything, below)

    def _batch(self, points: Float[Array, "all d"], key: Key[Array, ""], step: Any) -> Float[Array, "n d"]:
        turns = self.whole.size // self.size
        order = jax.random.fold_in(jax.random.fold_in(key, ORDERS), step // turns)
        places = (step % turns) * self.size + jnp.arange(self.size)
        return points[shuffled(order, self.whole.size, places)]


def coordinates(axes: tuple[str, ...], label: str, plan: Any, batch: int | None) -> tuple[Expr, ...]:
    """One symbol for each coordinate of the points of a plan, or of batches of them."""
    if batch is not None:
        number = count(batch, "batch, the points that each step sees,")
        if number > plan.size:
            raise DomainError(
                f"batch={number} is more than all {plan.size} points of {label}. Take a smaller batch, or leave it out."
            )
        if number < plan.size:
            label, plan = f"{label}, each step out of {plan.size}", Batches(plan, number)
    points = PointSet(axes, label, plan.size, plan)
    return tuple(Expr("coordinate", (), (points, axis)) for axis in range(len(axes)))
