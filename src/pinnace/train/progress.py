"""What a user sees while a run goes on, and how Ctrl-C ends it."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """A bar with the losses behind it; silent where nobody can see it."""

    def __init__(self, total: int, shown: bool) -> None:
        self._bar: Any = None
        if shown and (sys.stderr.isatty() or "ipykernel" in sys.modules):
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="step", dynamic_ncols=True, leave=True)

    def advance(self, count: int, values: dict[str, float]) -> None:
        """So many steps more, with the values of the last one."""
        if self._bar is not None:
            self._bar.set_postfix_str(" ".join(f"{name}={value:.3g}" for name, value in values.items()), refresh=False)
            self._bar.update(count)

    def close(self) -> None:
        """The bar stays as it is."""
        if self._bar is not None:
            self._bar.close()


class Interrupt:
    """Whether somebody has pressed Ctrl-C."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def interrupts() -> Iterator[Interrupt]:
    """Inside, a first Ctrl-C is noted, so that the chunk comes to its end; a second one raises at once."""
    flag = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return

    def note(number: int, frame: Any) -> None:
        if flag.asked:
            raise KeyboardInterrupt
        flag.asked = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)
