"""The best state of a run, by a value that means the same at every step."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pinnace.step import Attached, State
from pinnace.train.passage import Ending, Passage


@dataclass(eq=False)
class Best:
    """The step at which a value was smallest, and the state there: `crux.restore(run.best)` goes back to it."""

    name: str
    """What was looked at."""
    step: int
    value: float
    _passage: Passage | None = field(default=None, repr=False)
    _state: State | None = field(default=None, repr=False)
    _attached: Sequence[Attached] = field(default=(), repr=False)

    def settle(self) -> State:
        """The state, reached again from where its chunk began; from then on it is there."""
        if self._state is None:
            assert self._passage is not None
            self._state, self._passage = self._passage.state_at(self.step), None
        return self._state

    @property
    def attached(self) -> Sequence[Attached]:
        """The optimizers of that time."""
        return self._attached


class Keeper:
    """Looks for a smaller value in each chunk; costs nothing but the start of the chunk that had the best."""

    def __init__(self, name: str, best: Best | None, attached: Sequence[Attached]) -> None:
        self._name, self._attached = name, attached
        self.best = best if best is not None and best.name == name else None
        """That of earlier runs with the same name counts."""

    def look(self, passage: Passage) -> Ending | None:
        steps, values = passage.logged(self._name)
        (total,) = (values for name, _, values in passage.columns if name == "total")
        fine = np.isfinite(values) & np.isfinite(total[steps - passage.first])
        if not fine.any():
            return None
        at = int(np.argmin(np.where(fine, values, np.inf)))
        if self.best is None or values[at] < self.best.value:
            self.best = Best(self._name, int(steps[at]), float(values[at]), passage, None, self._attached)
        return None
