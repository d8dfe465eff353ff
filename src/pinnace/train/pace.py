"""How many steps go between two looks of the host."""

from statistics import median

CHUNK_SECONDS = 0.33
"""About how long the host waits for a chunk: half a second at most, so that Ctrl-C and the bar are quick."""

LONGEST_SECONDS = 2.0
"""How long it may wait where each chunk costs much beside its steps: large problems, whose memory is taken anew."""

SHARE = 0.02
"""What a chunk may cost beside its steps, as a part of these."""


class Pace:
    """The length of the next chunk, from how long the last ones took; for one compiled step."""

    def __init__(self) -> None:
        self.length = 1
        self._last: tuple[int, float] | None = None
        self._beside: list[float] = []
        self._compiled = False

    def note(self, count: int, seconds: float) -> None:
        """A chunk of so many steps took so long, everything between chunks included; the first one compiled."""
        if not self._compiled:
            self._compiled, self.length = True, 2
            return
        if self._last is not None and max(count, self._last[0]) >= 2 * min(count, self._last[0]):
            other, earlier = self._last
            step = (seconds - earlier) / (count - other)
            self._beside.append(max(0.0, seconds - count * step))
        self._last = count, seconds
        beside = median(self._beside) if self._beside else 0.0
        step = max(seconds - beside, seconds / 4) / count
        wanted = min(max(CHUNK_SECONDS, beside / SHARE), LONGEST_SECONDS)
        if not self._beside and 2 * count * step <= LONGEST_SECONDS:
            wanted = max(wanted, 2 * count * step)
        self.length = max(1, min(round(wanted / max(step, 1e-9)), 8 * count))

    def chunk(self, left: int, length: int) -> int:
        """The steps of the next chunk when so many are left: no short rest, which would cost a chunk of its own."""
        return left if left <= 1.5 * length else min(left, length)
