"""How much of a patch is accepted, found on the host before points are drawn."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool

from pinnace._errors import DomainError
from pinnace.domain.patch import Patch
from pinnace.points import Cover, Picked, Sampler, sobol_bits

FEWEST, MOST = 2**16, 2**20
"""Candidates that are looked at: more where few of them are accepted."""
ENOUGH = 1000
"""Accepted candidates that tell the share well enough."""
LARGEST = 2**23
"""Candidates that may be drawn for one set of points."""
SIGMAS = 6
GRIDS = 8
"""Grids that are tried until about n of its points are accepted."""


@dataclass(frozen=True)
class Accepted:
    """What was found: which share of the candidates is accepted, and how large the region is."""

    share: float
    candidates: int
    measure: float

    def pool(self, n: int) -> int:
        """Candidates of which n are accepted, but in one of a billion draws."""
        tried = self.candidates
        share = min(self.share, 1 - 1 / tried)
        share = max(share - SIGMAS * math.sqrt(share * (1 - share) / tried), share / 2)
        spread = SIGMAS / 2 * math.sqrt(1 - share)
        wanted = (spread + math.sqrt(spread**2 + n)) ** 2 / share
        # in coarse steps, so that a candidate more or less on another machine does not change the draw
        step = 2 ** max(0, math.floor(math.log2(wanted)) - 5)
        return math.ceil(wanted / step) * step


@lru_cache(maxsize=1024)
def accepted(shape: Any, region: str) -> Accepted:
    """The share accepted of the candidates for a region of a shape, and its measure, from 2^16 points or more of low
    discrepancy; the same in every process."""
    patch = shape.region(region)
    count = FEWEST
    while True:
        piece, unit = _even(patch.cover, count)
        mask = good(patch, piece, unit)
        if mask.sum() >= ENOUGH or count >= MOST:
            break
        count = MOST if not mask.any() else min(MOST, 4 * count)
    of_piece = np.bincount(piece, minlength=len(patch.cover.measures))
    kept = np.bincount(piece[mask], minlength=len(patch.cover.measures))
    share = float(mask.mean())
    # by pieces, so that one which is accepted as a whole counts exactly
    shares = np.where(of_piece > 0, kept / np.maximum(of_piece, 1), share)
    return Accepted(share, count, float((patch.cover.measures * shares).sum()))


def picked(kind: type[Sampler], n: int, patch: Patch, share: float) -> Sampler:
    """A sampler without chance, so fine that about n of its points are accepted, and these picked."""
    wanted, found = n / share, []
    for _ in range(GRIDS):
        whole = kind(min(max(1, round(wanted)), LARGEST), patch.cover)
        piece, unit = whole.base(np.float64)
        mask = good(patch, piece, unit) & good(patch, piece, unit.astype(np.float32))
        kept = int(mask.sum())
        found.append(
            (abs(math.log(max(kept, 0.1) / n)), len(found), Picked(n, patch.cover, whole, np.flatnonzero(mask)))
        )
        if kept == n or wanted > LARGEST:
            break
        wanted *= n / max(kept, n / 2, 1)
    return min(found, key=lambda one: one[:2])[-1]


def too_small(region: str, where: Any, share: float) -> DomainError:
    """The error about a region of which nothing, or next to nothing, is left."""
    if not share:
        return DomainError(f'nothing is left of "{region}" in {where!r}: it has no points.')
    return DomainError(
        f'"{region}" of {where!r} is too small to be drawn from: of a million candidates {share * 1e6:.0f} are in it. '
        f"Take fewer points, or a smaller shape around it."
    )


def good(patch: Patch, piece: Any, unit: Any) -> Bool[np.ndarray, "n"]:
    """Which candidates are accepted, in the precision of `unit`, whatever that of JAX is."""
    if patch.accepts is None:
        return np.ones(len(piece), bool)
    # tags and shapes of one's own may use jax.numpy
    with jax.ensure_compile_time_eval(), jax.enable_x64(unit.dtype == np.float64):
        return np.asarray(patch.accepts(piece, unit, patch.place(piece, unit)))


def _even(cover: Cover, count: int) -> tuple[Any, Any]:
    unit: Any = (sobol_bits(count, cover.dim) + 0.5) / 2.0**32
    return cover.split(unit)
