"""The numbers beside the progress bar."""

from collections.abc import Sequence

import numpy as np

from pinnace.train.passage import Ending, Passage
from pinnace.train.progress import Progress


class Meter:
    """Shows the total, the raw losses and the weights of balancers after each chunk."""

    def __init__(self, bar: Progress, losses: Sequence[str], weights: Sequence[tuple[int, Sequence[str]]]) -> None:
        self._bar, self._losses, self._weights = bar, losses, weights

    def look(self, passage: Passage) -> Ending | None:
        newest = passage.newest
        values = {name: float(newest[name]) for name in ("total", *self._losses)}
        for cell, labels in self._weights:
            values |= dict(zip(labels, np.asarray(passage.end.weights[cell], float), strict=True))
        self._bar.advance(passage.count, values)
        return None
