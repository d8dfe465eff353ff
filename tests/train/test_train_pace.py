"""How long chunks are: a third of a second of steps, more only where a chunk costs much beside its steps."""

import pytest

from pinnace.train.pace import CHUNK_SECONDS, LONGEST_SECONDS, Pace


def paced(step, beside, chunks=30, rows=10**9):
    """The last lengths where a step and a chunk take so many seconds; the first one compiles."""
    pace, lengths = Pace(), []
    pace.note(1, 5.0)
    for _ in range(chunks):
        count = min(pace.length, rows)
        lengths.append(count)
        pace.note(count, beside + count * step)
    return lengths


@pytest.mark.parametrize("step", [1e-5, 1e-3, 0.02, 0.1])
def test_a_third_of_a_second(step):
    assert paced(step, 0.0)[-1] * step == pytest.approx(CHUNK_SECONDS, rel=0.5)


def test_longer_where_chunks_cost_much():
    lengths = paced(0.06, 0.05)
    assert LONGEST_SECONDS / 2 < lengths[-1] * 0.06 <= LONGEST_SECONDS
    assert paced(0.06, 0.002)[-1] * 0.06 < 2 * CHUNK_SECONDS


def test_one_step_at_least_and_growing_step_by_step():
    assert set(paced(9.0, 0.1)) <= {1, 2}
    lengths = paced(1e-6, 1e-4, rows=1024)
    assert lengths[:3] == [2, 16, 128] and lengths[-1] == 1024


def test_it_notices_that_the_machine_became_slower():
    pace = Pace()
    pace.note(1, 5.0)
    for step in [1e-3] * 10 + [1e-2] * 60:
        pace.note(pace.length, pace.length * step)
    assert pace.length * 1e-2 < 3 * CHUNK_SECONDS
