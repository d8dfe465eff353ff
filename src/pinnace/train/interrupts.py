"""How Ctrl-C ends a run: once, after this chunk; twice, now."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupt:
    """Whether somebody has pressed Ctrl-C, once or twice."""

    def __init__(self) -> None:
        self.asked = False
        self._twice = self._held = False

    def note(self, number: int, frame: Any) -> None:
        """A signal has come: the first is noted, the second ends what is going on, unless that is `whole`."""
        self._twice, self.asked = self.asked, True
        if self._twice and not self._held:
            raise KeyboardInterrupt

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What is done inside is done as a whole; a second Ctrl-C waits for it."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._twice:
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Interrupt]:
    """Inside, Ctrl-C is noted; only the main thread can be told of it."""
    flag = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    before = signal.signal(signal.SIGINT, flag.note)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)
