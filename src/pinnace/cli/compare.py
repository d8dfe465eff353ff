"""`pinnace compare`: balancers on the same points and first networks, a table, a CSV, a figure."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pinnace import balance, zoo
from pinnace.cli.comparison_figure import comparison_figure
from pinnace.cli.config import as_toml
from pinnace.cli.folder import COMPARISON, COMPARISON_FIGURE, CONFIG, Folder
from pinnace.cli.keys import Asked
from pinnace.cli.solve import INTERRUPTED, draw
from pinnace.cli.table import table

OPENING, CLOSING, QUOTES = "([{", ")]}", "\"'"
FILES = (COMPARISON, COMPARISON_FIGURE, CONFIG)


def compare(asked: Asked, balancers: Sequence[str], seeds: int, out: Path | None, *, figure: bool = True) -> int:
    """Run the comparison, print the table, fill the folder, and give the exit code.

    Every run is in the CSV as soon as it ends.
    """
    if not balancers:
        raise zoo.SettingError('--balancers takes at least one balancer, for example "none,relobralo".')
    problem, trials, code = asked.problem, [], 0
    folder = Folder.free(out, f"compare-{problem.name}", FILES)
    bar = Bar(len(balancers) * seeds, problem.steps)
    runs = zoo.compare(problem, balancers, range(seeds), watch=bar.watch)
    print(f"{problem.name}: {problem.title}\n  {problem.equation}")
    print(f"  {len(balancers)} balancers, {problem.steps} steps from each of the seeds 0 to {seeds - 1}\n", flush=True)
    try:
        for trial in runs:
            if not trials:
                folder.make()
                folder.keep(as_toml(asked.kept()))
            trials.append(trial)
            zoo.write_trials(folder.path / COMPARISON, trials)
            bar.ended()
    except KeyboardInterrupt:
        if not trials:
            raise
        code = INTERRUPTED
    finally:
        bar.close()
    print(table(trials))
    if code:
        print(f"\n  interrupted after {len(trials)} of {len(balancers) * seeds} runs; these are kept.")
    if figure:
        draw(folder, lambda: folder.draw(comparison_figure(problem, trials), COMPARISON_FIGURE))
    print(f"\n  {folder}")
    return code


def split(text: str) -> list[str]:
    """The balancers in a text, separated by commas outside brackets.

    >>> split("none, softadapt(beta=0.5), fixed(weights=[1, 100])")
    ['none', 'softadapt(beta=0.5)', 'fixed(weights=[1, 100])']
    """
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if letter == "," and not depth and not quote:
            parts.append("")
            continue
        parts[-1] += letter
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        else:
            depth = max(0, depth + (letter in OPENING) - (letter in CLOSING))
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def everything() -> list[str]:
    """All balancers there are, and none."""
    return ["none", *balance.BALANCERS]


class Bar:
    """A bar over all runs where there is a terminal; silent elsewhere."""

    def __init__(self, runs: int, steps: int) -> None:
        self._bar: Any = None
        self._steps, self._ended = steps, 0
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=runs * steps, unit="step", dynamic_ncols=True, leave=False)

    def watch(self, balancer: str, seed: int, steps: int) -> None:
        """So many steps of this run have been taken."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"{balancer}, seed {seed}", refresh=False)
            self._bar.update(self._ended * self._steps + steps - self._bar.n)

    def ended(self) -> None:
        """One run more is done, whether it took all its steps or not."""
        self._ended += 1
        if self._bar is not None:
            self._bar.update(self._ended * self._steps - self._bar.n)

    def close(self) -> None:
        """Leave the line free."""
        if self._bar is not None:
            self._bar.close()
