"""Lines, powers, cycles and restarts: against closed forms in NumPy and against optax."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs

rates = st.floats(1e-6, 10.0)
steps = st.integers(1, 3000)
begins = st.integers(0, 2000)


def everywhere(schedule, epochs):
    """Called, in a loop with the schedule as an argument, and vmapped with it as a constant: all the same."""
    ts = jnp.asarray(epochs)
    inside = np.asarray(jax.jit(lambda s, ts: jax.lax.map(s, ts))(schedule, ts))
    close = partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-14 * np.abs(inside).max())
    close(jax.jit(jax.vmap(schedule))(ts), inside)
    close([schedule(t) for t in epochs[:4]], inside[:4])
    return inside


def around(*marks):
    return [0, *(mark + d for mark in marks for d in (-1, 0, 1) if mark + d >= 0), max(marks) + 1000]


@settings(max_examples=8, deadline=None)
@given(rates, rates, steps, begins)
def test_linear(lr0, end, n, begin):
    ts = around(begin, begin + n, begin + n // 2)
    with jax.enable_x64(True):
        got = everywhere(lrs.linear(lr0, end, n, begin), ts)
        np.testing.assert_allclose(got, np.interp(ts, [begin, begin + n], [lr0, end]), rtol=1e-12, atol=1e-14)
        theirs = optax.linear_schedule(lr0, end, n, begin)
        np.testing.assert_allclose(got, [theirs(t) for t in ts], rtol=1e-12, atol=1e-13)


@settings(max_examples=8, deadline=None)
@given(rates, rates, st.floats(0.1, 5.0), steps, begins)
def test_polynomial(lr0, end, power, n, begin):
    ts = around(begin, begin + n, begin + n // 2)
    with jax.enable_x64(True):
        got = everywhere(lrs.polynomial(lr0, end, power, n, begin), ts)
        left = [(n - min(max(t - begin, 0), n)) / n for t in ts]
        np.testing.assert_allclose(got, [end + (lr0 - end) * s**power for s in left], rtol=1e-12, atol=1e-14)
        theirs = optax.polynomial_schedule(lr0, end, power, n, begin)
        np.testing.assert_allclose(got, [theirs(t) for t in ts], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [41, 49, 82, 98])
def test_the_end_is_reached_exactly_in_float32(n):
    """XLA multiplies by the reciprocal, and the root of what would be left of 1 - 41 / 41 is no zero."""
    for schedule in (lrs.polynomial(1.0, 0.0, 0.25, n), lrs.linear(1.0, 0.0, n)):
        inside = jax.jit(jax.vmap(schedule))(jnp.arange(2 * n))
        assert np.all(inside[n:] == 0.0) and np.all(inside[:n] > 0)


def cycle(t, edges, levels, way):
    if t >= edges[-1]:
        return levels[-1]
    k = int(np.searchsorted(edges, t, side="right")) - 1
    share = (t - edges[k]) / (edges[k + 1] - edges[k])
    share = share if way == "linear" else (1 - math.cos(math.pi * share)) / 2
    return levels[k] + (levels[k + 1] - levels[k]) * share


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 5000), rates, st.floats(0.0, 0.99), st.floats(1.1, 100.0), st.floats(1.1, 1e5), st.data())
def test_one_cycle(total, peak, up, div, final, data):
    up_steps = int(up * total)
    ts = around(up_steps, total, total // 2)
    start, end = peak / div, peak / div / final
    with jax.enable_x64(True):
        got = everywhere(lrs.one_cycle(total, peak, up, div, final), ts)
        expected = [cycle(t, [0, up_steps, total], [start, peak, end], "cosine") for t in ts]
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13 * peak)
        if up_steps:
            theirs = optax.cosine_onecycle_schedule(total, peak, up, div, final)
            np.testing.assert_allclose(got, [theirs(t) for t in ts], rtol=1e-9, atol=1e-12 * peak)
        down = data.draw(st.floats(up, 1.0))
        down_steps = int(down * total)
        ts = around(up_steps, down_steps, total)
        got = everywhere(lrs.one_cycle(total, peak, up, div, final, kind="linear", pct_final=down), ts)
        expected = [cycle(t, [0, up_steps, down_steps, total], [start, peak, start, end], "linear") for t in ts]
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13 * peak)
        if 0 < up_steps < down_steps < total:
            theirs = optax.linear_onecycle_schedule(total, peak, up, down, div, final)
            np.testing.assert_allclose(got, [theirs(t) for t in ts], rtol=1e-9, atol=1e-12 * peak)


def test_one_cycle_counts_the_steps_up_as_python_does():
    """0.29 * 100 is 28.999..., also where the default float is float32."""
    schedule = lrs.one_cycle(100, 1.0, 0.29, 2.0)
    assert schedule(28).item() == 1.0 and schedule(29).item() < 1.0
    traced = jax.jit(lambda up: lrs.one_cycle(100, 1.0, up, 2.0)(25))(0.25)
    assert traced.item() == 1.0


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(2, 500), min_size=1, max_size=4), rates, rates, st.booleans(), st.data())
def test_cosine_restarts(lengths, lr0, end, several, data):
    warmup = data.draw(st.integers(0, min(lengths) - 1))
    firsts = [lr0 / (k + 1) for k in range(len(lengths))] if several else lr0
    edges = np.cumsum([0, *lengths])

    def value(t):
        k = min(int(np.searchsorted(edges, t, side="right")) - 1, len(lengths) - 1)
        peak, since = firsts[k] if several else lr0, t - edges[k]
        if since < warmup:
            return peak * since / warmup
        share = min((since - warmup) / (lengths[k] - warmup), 1.0)
        return end + (peak - end) * (1 + math.cos(math.pi * share)) / 2

    ts = around(*map(int, edges), warmup)
    with jax.enable_x64(True):
        got = everywhere(lrs.cosine_restarts(lengths, firsts, end, warmup_steps=warmup), ts)
        np.testing.assert_allclose(got, [value(t) for t in ts], rtol=1e-12, atol=1e-13 * lr0)
        kwargs = [
            {
                "init_value": 0.0,
                "peak_value": firsts[k] if several else lr0,
                "end_value": end,
                "warmup_steps": warmup,
                "decay_steps": length,
            }
            for k, length in enumerate(lengths)
        ]
        if warmup:  # without, optax starts at 0 for good
            theirs = optax.sgdr_schedule(kwargs)
            np.testing.assert_allclose(got, [theirs(t) for t in ts], rtol=1e-9, atol=1e-12 * lr0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lrs.linear(1, 0, 10), lrs.linear(1e-3, 1e-5, 100, 7)),
        (lrs.polynomial(1, 0, 2, 10), lrs.polynomial(1e-3, 1e-5, 0.5, 100, 7)),
        (lrs.one_cycle(100, 1), lrs.one_cycle(70, 1e-3, 0.5, 10, 10)),
        (lrs.cosine_restarts([10, 20], 1), lrs.cosine_restarts([30, 4], [1e-3, 1.0], 1e-5, warmup_steps=3)),
        (lrs.warmup(1.0, 5), lrs.warmup(1e-3, 50, 1e-5)),
        (lrs.join([1, lrs.step(1, 3)], [5]), lrs.join([1e-3, lrs.step(0.5, 7)], [2])),
        (lrs.plateau(1, 0.5, 3), lrs.plateau(1e-3, 0.1, 7, rtol=1e-3, atol=1, cooldown=2, accumulation_size=3)),
    ],
)
def test_other_numbers_compile_nothing(one, other):
    traces = []

    @jax.jit
    def run(schedule, t):
        traces.append(t)
        return schedule.update(t, [1.0], schedule.init())

    for schedule in (one, other):
        np.testing.assert_allclose(run(schedule, 7)[0], schedule.update(7, [1.0], schedule.init())[0], rtol=1e-6)
    assert len(traces) == 1


@pytest.mark.parametrize(
    "build",
    [
        lambda **clamps: lrs.linear(1.0, 0.0, 10, **clamps),
        lambda **clamps: lrs.polynomial(1.0, 0.0, 2, 10, **clamps),
        lambda **clamps: lrs.one_cycle(10, 1.0, **clamps),
        lambda **clamps: lrs.cosine_restarts([5, 5], 1.0, **clamps),
        lambda **clamps: lrs.warmup(1.0, 5, **clamps),
        lambda **clamps: lrs.join([1.0, 0.0], [5], **clamps),
    ],
)
def test_clamps(build):
    plain, clamped = build(), build(min_lr=0.25, max_lr=0.75)
    for t in range(12):
        np.testing.assert_allclose(clamped(t), np.clip(plain(t), 0.25, 0.75))
    with pytest.raises(ScheduleError, match="cannot be above"):
        build(min_lr=1.0, max_lr=0.5)


WRONG = [
    (lambda: lrs.linear("1", 0, 10), "lrs.linear got lr0"),
    (lambda: lrs.linear(1, 0, 0), "transition_steps = 0"),
    (lambda: lrs.linear(1, 0, 10, -1), "transition_begin"),
    (lambda: lrs.linear(1, math.nan, 10), "lr_end"),
    (lambda: lrs.polynomial(1, 0, 0, 10), "power = 0, but power must be a finite number above 0"),
    (lambda: lrs.polynomial(1, 0, 2, 2.5), "transition_steps = 2.5"),
    (lambda: lrs.one_cycle(0, 1), "total_steps"),
    (lambda: lrs.one_cycle(10, 1, 1.0), "pct_start = 1.0.* at least 0 and below 1"),
    (lambda: lrs.one_cycle(10, 1, -0.1), "pct_start"),
    (lambda: lrs.one_cycle(10, 1, div_factor=0), "div_factor"),
    (lambda: lrs.one_cycle(10, 1, final_div_factor=-1), "final_div_factor"),
    (lambda: lrs.one_cycle(10, 1, kind="cosin"), 'Did you mean "cosine"'),
    (lambda: lrs.one_cycle(10, 1, kind=["linear"]), 'one of "cosine", "linear"'),
    (lambda: lrs.one_cycle(10, 1, 0.5, kind="linear", pct_final=0.4), "larger pct_final"),
    (lambda: lrs.one_cycle(10, 1, kind="linear", pct_final=1.5), "at least 0 and at most 1"),
    (lambda: lrs.cosine_restarts([], 1), "at least one length"),
    (lambda: lrs.cosine_restarts(10, 1), "a list of numbers"),
    (lambda: lrs.cosine_restarts([10, 0], 1), r"cycle_steps\[1\] = 0"),
    (lambda: lrs.cosine_restarts([10, 5], 1, warmup_steps=5), r"warmup_steps = 5 and cycle_steps\[1\] = 5"),
    (lambda: lrs.cosine_restarts([10, 5], [1]), "2 cycles and 1 rates"),
    (lambda: lrs.cosine_restarts([10, 5], [1, "a"]), r"lr0\[1\]"),
]


@pytest.mark.parametrize(("build", "told"), WRONG)
def test_wrong_numbers_are_errors_where_they_are_written(build, told):
    with pytest.raises(ScheduleError, match=told):
        build()
