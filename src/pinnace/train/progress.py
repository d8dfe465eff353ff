"""What a user sees while a run goes on."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a terminal that has gone, a closed stream, or a notebook without its widgets raises."""
FIRST = 6
"""Values that a bar has room for."""


class Progress:
    """A bar with losses and weights behind it; silent where nobody can see it, and where it breaks."""

    def __init__(self, total: int, shown: bool) -> None:
        self._bar: Any = None
        self._compiled = False
        if shown:
            self._try(lambda: self._open(total))

    def advance(self, count: int, values: dict[str, float]) -> None:
        """So many steps more, with the values of the last one."""
        self._try(lambda: self._advance(count, values))

    def close(self) -> None:
        """The bar stays as it is."""
        self._try(lambda: self._bar.close() if self._bar is not None else None)
        self._bar = None

    def _open(self, total: int) -> None:
        bar = _bar()
        if bar is not None:
            # every chunk is worth a line, and the thread that would look after rarer ones has nothing to do
            settings = {"miniters": 1, "dynamic_ncols": True, "leave": True}
            self._bar = bar(total=total, unit="step", desc="compiling", **settings)

    def _advance(self, count: int, values: dict[str, float]) -> None:
        bar = self._bar
        if bar is None:
            return
        if not self._compiled:  # neither rate nor remaining time count the compilation
            self._compiled = True
            bar.unpause()
            bar.initial = count
            bar.set_description_str("", refresh=False)
        bar.set_postfix_str(_told(values), refresh=False)
        if not bar.update(count):
            bar.refresh()

    def _try(self, action: Callable[[], Any]) -> None:
        """What a bar does must not end a training: the first failure ends the bar."""
        try:
            action()
        except BROKEN:
            bar, self._bar = self._bar, None
            if bar is not None:
                bar.disable = True  # or it would close, and fail, once more when it is forgotten


def _bar() -> Any:
    """tqdm's bar for this place: with widgets, as text, or none."""
    if _in_notebook():
        # tqdm.auto would warn where there are no widgets
        if find_spec("ipywidgets") is not None:
            from tqdm.notebook import tqdm as widget

            return widget
    elif sys.stderr is None or not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    return tqdm


def _in_notebook() -> bool:
    """Whether a Jupyter kernel shows what is written."""
    interactive = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


def _told(values: dict[str, float]) -> str:
    shown = [f"{name}={value:.3g}" for name, value in list(values.items())[:FIRST]]
    return " ".join(shown) + (f" and {len(values) - FIRST} more" if len(values) > FIRST else "")
