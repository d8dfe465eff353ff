"""What expressions are evaluated at, and how."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Array

from pinnace.expr import Expr, Noise, PointSet
from pinnace.optim import Trainable


@dataclass(frozen=True)
class Given:
    """What the expressions are evaluated at."""

    modules: Mapping[Trainable, Any]
    points: Mapping[PointSet, Array]
    weights: Callable[[int, Sequence[Array]], Array]
    """The weights of the k-th cell, given the values that it looks at."""
    known: Mapping[Expr, Any] = field(default_factory=dict)
    """Values that were computed before."""
    counts: Mapping[PointSet, int] = field(default_factory=dict)
    """How many points of a set are real, where copies of some follow them."""
    microbatch: int | None = None
    """How many points at once a reduction may see."""
    grids: Mapping[PointSet, tuple[int, ...]] = field(default_factory=dict)
    """How many points a set has along each axis, where it is a full grid, the last axis fastest."""
    chance: Any = None
    """The random key of this step, for what is estimated; with the number of each noise."""
    noises: Mapping[Noise, int] = field(default_factory=dict)
    measure: Callable[[Expr], Array] | None = None
    """What a measurement of the trained parameters gives; None inside a loss."""
    lanes: int = 1
    """How many nodes of the integrals around are evaluated side by side."""
    remat: bool = False
    """Whether the backward pass computes again what a field computed between its matrix products."""
