"""Losses as a user's function sees them: an array of the entries that knows raw losses and trackers by name."""

from functools import partial
from typing import Any

import jax

from pinnace._errors import ScheduleError
from pinnace.schedule._capture.tracer import Captured, PathTrace
from pinnace.schedule._losses import LossValues, named


class CapturedLosses(Captured):
    """`losses[0]` is the first entry, `losses["pde"]` the raw loss or tracker of that name, the whole an array."""

    __slots__ = ("raw", "total", "trackers")

    def __init__(self, trace: PathTrace, losses: LossValues) -> None:
        super().__init__(trace, losses.entries)
        self.raw, self.total, self.trackers = jax.tree.map(partial(Captured, trace), losses[1:])

    @property
    def entries(self) -> Any:
        """The entries alone."""
        return Captured(self.path, self.value)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, str):
            return super().__getitem__(index)
        return named(self, index, f'losses["{index}"]')

    def __contains__(self, item: Any) -> bool:
        if isinstance(item, str):
            return item == "total" or item in self.raw or item in self.trackers
        return any(item == entry for entry in self)

    def _out_of_range(self, index: int, size: int) -> ScheduleError:
        if size == 1:
            return ScheduleError(f"losses[{index}]: there is 1 entry (trackers do not count), losses[0].")
        return ScheduleError(
            f"losses[{index}]: there are {size} entries (trackers do not count), losses[0] to losses[{size - 1}]."
        )
