"""Chunks of steps, one after the other, and everything that happens between them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pinnace.step import State
from pinnace.train.faults import KEPT, TRIES, Fault, Past, fault_of, slower
from pinnace.train.interrupts import Interrupt
from pinnace.train.pace import Pace
from pinnace.train.passage import Ending, Judge, Outcome, Passage, Track, Witness
from pinnace.train.processes import Processes

Keep = Callable[[State, Passage | None], None]
"""Gets each new state, with the rows that lead to it; without rows, the run has gone back to that state."""

POLICIES = ("stop", "rollback", "raise")
"""What may happen where something is not finite."""

DONE = Ending(Outcome.DONE, Outcome.DONE.value)
INTERRUPTED = Ending(Outcome.INTERRUPTED, Outcome.INTERRUPTED.value)
ELSEWHERE = Ending(Outcome.STOPPED, "another process stopped the run")


@dataclass(frozen=True)
class Loop:
    """The parts of a run: steps, who looks at them, what is kept, and what can end it."""

    track: Track
    keep: Keep
    judges: Callable[[], Sequence[Judge]]
    """Those who say where to end, as they stand after what was kept so far."""
    witnesses: Sequence[Witness]
    explain: Callable[[Fault], str]
    """What there is to say of a fault."""
    went_back: Callable[[str], None]
    """Is told of each time that a fault was tried again."""
    tries: int
    """How often a fault is tried again with half the rate."""
    owners: Sequence[str]
    fields: Sequence[str]
    interrupt: Interrupt
    pace: Pace
    processes: Processes
    marks: int | None = None
    """Chunks end at each multiple of so many steps."""

    def run(self, state: State, steps: int) -> Ending:
        """Take so many steps from a state, and say how it ended."""
        past, judges, tries = Past(self.track), self.judges(), self.tries
        _, length = self.processes.agree(0, self.pace.length)
        last = int(state.step) + steps
        began = time.perf_counter()
        while (first := int(state.step)) < last:
            past.note(state)
            passage = self.track.passage(state, self._length(first, last, length))
            ended = _judged(judges, passage)
            fault = None if ended else fault_of(passage, past, self.owners, self.fields)
            if ended:
                at, ending = ended
                state, passage = passage.state_at(at), passage.up_to(at)
            elif fault:
                state, passage = fault.good, passage.up_to(fault.step)
                ending = Ending(Outcome.NONFINITE, self.explain(fault))
            else:
                state, ending = passage.end, None
            with self.interrupt.whole():
                self.keep(state, passage)
            wanted = [answer for witness in self.witnesses if (answer := witness.look(passage))]
            if fault and tries and fault.step > past.first:
                tries -= 1
                state = self._back(past, fault, self.tries - tries, ending)
                judges, ending = self.judges(), None
            now = time.perf_counter()
            if not (ended or fault):
                self.pace.note(passage.count, now - began)
            began = now
            ending, length = self._agreed(ending, wanted)
            if ending:
                return ending
        return DONE

    def _length(self, first: int, last: int, length: int) -> int:
        chunk = self.pace.chunk(last - first, length)
        return chunk if self.marks is None else min(chunk, self.marks - first % self.marks)

    def _back(self, past: Past, fault: Fault, number: int, ending: Ending | None) -> State:
        step = past.back(fault.step)
        state = slower(past.at(step), fault.at)
        past.restart(state)
        with self.interrupt.whole():
            self.keep(state, None)
        reason = ending.message.removesuffix(f"; {KEPT}") if ending else ""
        self.went_back(f"{reason}; went back to step {step} with half the rate, {number} of {self.tries} times")
        return state

    def _agreed(self, ending: Ending | None, wanted: Sequence[Ending]) -> tuple[Ending | None, int]:
        """How it ends, if it does, and the next length: the same in all processes that share the mesh."""
        mine = ending or next(iter(wanted), None) or (INTERRUPTED if self.interrupt.asked else None)
        kinds = list(Outcome)
        code = 1 + kinds.index(mine.outcome) if mine else 0
        agreed, length = self.processes.agree(code, self.pace.length)
        if not agreed or mine:
            return mine, length
        return (INTERRUPTED if kinds[agreed - 1] is Outcome.INTERRUPTED else ELSEWHERE), length


def tries_of(on_nonfinite: str) -> int:
    """How often a fault is tried again."""
    return TRIES if on_nonfinite == "rollback" else 0


def _judged(judges: Sequence[Judge], passage: Passage) -> tuple[int, Ending] | None:
    """The earliest step at which one of them ends the run, among those whose losses were finite."""
    good = passage if passage.finite else passage.up_to(passage.stop - 2)
    found = [answer for judge in judges if good.count > 0 and (answer := judge.judge(good))]
    return min(found, key=lambda answer: answer[0], default=None)
