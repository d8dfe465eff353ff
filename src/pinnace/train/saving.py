"""Checkpoints while a run goes on."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pinnace._errors import PinnaceError
from pinnace.train.passage import Ending, Passage

SECONDS = 30.0
"""How long there is no checkpoint at most, where nobody says how many steps: what a kill may cost."""
SHARE = 0.02
"""What writing may cost, as a part of the time."""


class Checkpoints:
    """Writes the state now and then; a file that cannot be written is reported once, and the run goes on.

    `save` writes everything as it stands, and raises OSError; `agree` makes of what each process wants one answer.
    """

    def __init__(
        self,
        path: Path,
        every: int | None,
        save: Callable[[Path], None],
        report: Callable[[str], None],
        agree: Callable[[bool], bool],
    ) -> None:
        self.path, self.every = path, every
        self._save, self._report, self._agree = save, report, agree
        self._told = False
        self._last, self._cost = time.perf_counter(), 0.0

    def look(self, passage: Passage) -> Ending | None:
        if self._agree(self._due(passage.stop)):
            self.write()
        return None

    def write(self) -> None:
        """Now."""
        began = time.perf_counter()
        try:
            self._save(self.path)
        except OSError as wrong:
            if not self._told:
                self._told = True
                self._report(
                    f"the checkpoint {self.path} could not be written: {wrong}. Training goes on, what was there "
                    f"before stays, and it is tried again"
                )
        self._last = time.perf_counter()
        self._cost = self._last - began

    def _due(self, step: int) -> bool:
        if self.every is not None:
            return step % self.every == 0
        return time.perf_counter() - self._last > max(SECONDS, self._cost / SHARE)


def set_aside(path: Path) -> Path | None:
    """A file of another run is kept under another name before this run writes; the name, if there was one."""
    if not path.exists():
        return None
    aside = path.with_name(f"{path.stem}.previous{path.suffix}")
    os.replace(path, aside)
    return aside


def check_checkpoint(checkpoint: Any, every: Any) -> None:
    """Raise PinnaceError for what is no path, or no number of steps."""
    if checkpoint is None and every is not None:
        raise PinnaceError(f"checkpoint_every={every!r} needs a file: solve(..., checkpoint='run.npz').")
    if checkpoint is not None and not isinstance(checkpoint, (str, os.PathLike)):
        raise PinnaceError(f"checkpoint is the path of a file; got {checkpoint!r}.")
    if checkpoint is not None and Path(checkpoint).is_dir():
        raise PinnaceError(f"checkpoint is the path of a file, and {checkpoint} is a folder.")
    if every is not None and (isinstance(every, bool) or not isinstance(every, int) or every < 1):
        raise PinnaceError(f"checkpoint_every is a number of steps, 1 or more; got {every!r}.")
