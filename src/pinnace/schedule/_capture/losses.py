"""Losses as a user's function sees them: an array of the entries that also knows the raw losses by name."""

from functools import partial
from typing import Any

import jax

from pinnace._errors import ScheduleError, did_you_mean, listed
from pinnace.schedule._capture.tracer import Captured, PathTrace
from pinnace.schedule._losses import LossValues


class CapturedLosses(Captured):
    """`losses[0]` is the first entry, `losses["pde"]` the raw loss of that name, and the whole an array."""

    __slots__ = ("raw", "total")

    def __init__(self, trace: PathTrace, losses: LossValues) -> None:
        super().__init__(trace, losses.entries)
        self.raw, self.total = jax.tree.map(partial(Captured, trace), (losses.raw, losses.total))

    @property
    def entries(self) -> Any:
        """The entries alone."""
        return Captured(self.path, self.value)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, str):
            return super().__getitem__(index)
        if index not in self.raw:
            known = f"there are {listed(self.raw)}" if self.raw else "no loss has a name here"
            raise ScheduleError(
                f'losses["{index}"]: no loss is called so; {known}.{did_you_mean(index, self.raw)} Name a '
                'loss with .named("pde"), or write losses[0] for the first entry.'
            )
        return self.raw[index]

    def __contains__(self, item: Any) -> bool:
        return item in self.raw if isinstance(item, str) else any(item == entry for entry in self)

    def _out_of_range(self, index: int, size: int) -> ScheduleError:
        entries = "1 entry" if size == 1 else f"{size} entries"
        return ScheduleError(
            f"losses[{index}]: there are {entries} (trackers do not count), losses[0] to losses[{size - 1}]."
        )
