"""Callbacks and sinks: code of somebody else between the chunks, whose failures are told and do no harm."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from pinnace.expr.text import function_name
from pinnace.sinks import Flushing, Sink
from pinnace.train.passage import Ending, Outcome, Passage

Report = Callable[[str], None]


class Guest:
    """Somebody else's code: `with guest:` lets no Exception of it out, and reports the first one."""

    def __init__(self, code: Any, role: str, report: Report) -> None:
        self.code, self._role, self._report = code, role, report
        self.failed = False
        self.step = 0

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):  # Ctrl-C and the like pass
            return False
        if not self.failed:
            self.failed = True
            where = trace.tb_next if trace is not None and trace.tb_next is not None else trace
            line = f" ({where.tb_frame.f_code.co_filename}, line {where.tb_lineno})" if where is not None else ""
            self._report(
                f"the {self._role} {function_name(self.code)} failed at step {self.step}: {type(error).__name__}: "
                f"{error}{line}. Training goes on; it is called again, and not told of again"
            )
        return True


class Callbacks:
    """Functions of the run, called after each chunk; one that returns True ends it."""

    def __init__(self, callbacks: Sequence[Callable[[Any], Any]], run: Any, report: Report) -> None:
        self._guests = [Guest(callback, "callback", report) for callback in callbacks]
        self._run = run

    def look(self, passage: Passage) -> Ending | None:
        answers = []
        for guest in self._guests:
            guest.step = passage.stop - 1
            with guest:
                answers.append(guest.code(self._run))
        stopped = any(answer is True for answer in answers)
        return Ending(Outcome.STOPPED, Outcome.STOPPED.value) if stopped else None


class Sinks:
    """Functions of a step and its values, called for each row."""

    def __init__(self, sinks: Sequence[Sink], report: Report) -> None:
        self._guests = [Guest(sink, "sink", report) for sink in sinks]

    def look(self, passage: Passage) -> Ending | None:
        for guest in self._guests:
            for row in range(passage.count):
                guest.step = step = passage.first + row
                with guest:
                    guest.code(
                        step, {name: values[row] for name, every, values in passage.columns if step % every == 0}
                    )
            if isinstance(guest.code, Flushing):
                with guest:
                    guest.code.flush()
        return None
