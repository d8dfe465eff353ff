"""Where the results of a run are kept."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np

from pinnace import PinnaceError, zoo

RESULT, HISTORY, CHECKPOINT, FIGURE = "result.json", "history.npz", "checkpoint.npz", "figure.png"


@dataclass(frozen=True)
class Folder:
    """A run folder: `result.json`, `history.npz`, `checkpoint.npz`, `figure.png`."""

    path: Path

    @classmethod
    def free(cls, chosen: Path | None, name: str) -> Self:
        """The folder that was chosen, or the first of runs/NAME-1, -2, ... that does not exist.

        Raises PinnaceError for one that holds a run: results are not written over.
        """
        if chosen is None:
            return cls(next(path for k in count(1) if not (path := Path("runs", f"{name}-{k}")).exists()))
        if chosen.exists() and not chosen.is_dir():
            raise PinnaceError(f"--out {chosen} is a file; give a folder.")
        there = [file for file in (RESULT, HISTORY, CHECKPOINT, FIGURE) if (chosen / file).exists()]
        if there:
            raise PinnaceError(f"{chosen} holds a run already ({', '.join(there)}); give another folder with --out.")
        return cls(chosen)

    def make(self) -> None:
        """Create it, before there is something to lose."""
        self.path.mkdir(parents=True, exist_ok=True)

    def write(self, case: zoo.Case, result: Mapping[str, Any]) -> None:
        """The result, the history and the checkpoint; what is most wanted first."""
        text = json.dumps(result, indent=2) + "\n"
        whole = self.path / f".{RESULT}"
        whole.write_text(text, encoding="utf-8")
        os.replace(whole, self.path / RESULT)
        case.crux.save(self.path / CHECKPOINT)
        np.savez_compressed(self.path / HISTORY, **columns(case))

    def draw(self, figure: Any) -> None:
        """The figure."""
        figure.savefig(self.path / FIGURE, dpi=200)

    def __str__(self) -> str:
        files = [file for file in (RESULT, HISTORY, CHECKPOINT, FIGURE) if (self.path / file).exists()]
        return f"{self.path}: {', '.join(files)}"


def columns(case: zoo.Case) -> dict[str, Any]:
    """The history as columns of one length: "step", and one for each name."""
    history = case.crux.history
    return {"step": history.steps("total"), **{name: history[name] for name in history}} if history else {}
