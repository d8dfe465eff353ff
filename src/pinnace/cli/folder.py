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
CONFIG = "run.toml"
COMPARISON, COMPARISON_FIGURE = "compare.csv", "compare.png"
FILES = (RESULT, HISTORY, CHECKPOINT, FIGURE, CONFIG)


@dataclass(frozen=True)
class Folder:
    """The folder of a run: `result.json`, `history.npz`, `checkpoint.npz`, `figure.png`, and `run.toml`, its settings.

    That of a comparison has `compare.csv`, `compare.png`, `run.toml`.
    """

    path: Path
    files: tuple[str, ...] = FILES

    @classmethod
    def free(cls, chosen: Path | None, name: str, files: tuple[str, ...] = FILES) -> Self:
        """The folder that was chosen, or the first of runs/NAME-1, -2, ... that does not exist.

        Raises PinnaceError for one that holds a run: results are not written over.
        """
        if chosen is None:
            return cls(next(path for k in count(1) if not (path := Path("runs", f"{name}-{k}")).exists()), files)
        if chosen.exists() and not chosen.is_dir():
            raise PinnaceError(f"--out {chosen} is a file; give a folder.")
        there = [file for file in files if (chosen / file).exists()]
        if there:
            raise PinnaceError(f"{chosen} holds a run already ({', '.join(there)}); give another folder with --out.")
        return cls(chosen, files)

    @classmethod
    def begun(cls, path: Path) -> Self:
        """The folder of a run that was begun.

        Raises PinnaceError for one without settings, or without a checkpoint.
        """
        if not path.is_dir():
            raise PinnaceError(f"there is no folder {path} of a run to resume.")
        missing = [file for file in (CONFIG, CHECKPOINT) if not (path / file).is_file()]
        if missing:
            raise PinnaceError(
                f"{path} has no {' and no '.join(missing)}: nothing to resume there. A run has its first checkpoint "
                f"after half a minute, or at its end."
            )
        return cls(path, FILES)

    def make(self) -> None:
        """Create it, before there is something to lose."""
        self.path.mkdir(parents=True, exist_ok=True)

    def keep(self, settings: str) -> None:
        """The settings, so that `--config` can do it again."""
        (self.path / CONFIG).write_text(settings, encoding="utf-8")

    def write(self, case: zoo.Case, result: Mapping[str, Any]) -> None:
        """The result, the history and the checkpoint; what is most wanted first."""
        text = json.dumps(result, indent=2) + "\n"
        whole = self.path / f".{RESULT}"
        whole.write_text(text, encoding="utf-8")
        os.replace(whole, self.path / RESULT)
        case.crux.save(self.path / CHECKPOINT)
        np.savez_compressed(self.path / HISTORY, **columns(case))

    def draw(self, figure: Any, name: str = FIGURE) -> None:
        """The figure."""
        figure.savefig(self.path / name, dpi=200)

    def __str__(self) -> str:
        files = [file for file in self.files if (self.path / file).exists()]
        return f"{self.path}: {', '.join(files)}"


def columns(case: zoo.Case) -> dict[str, Any]:
    """The history as columns of one length: "step", and one for each name."""
    history = case.crux.history
    return {"step": history.steps("total"), **{name: history[name] for name in history}} if history else {}
