"""The shapes that come with the library: values, and errors where they are written."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs
from pinnace.schedule import step_lr

rates = st.floats(1e-6, 10.0)
steps = st.integers(1, 5000)


def exponential(t, lr0, rate, n, end=None, staircase=False, begin=0):
    passed = max(t - begin, 0) // n if staircase else max(t - begin, 0) / n
    with np.errstate(over="ignore"):
        lr = lr0 * np.exp(passed * np.log(rate))
    if end is None or rate == 1:
        return lr
    return max(lr, end) if rate < 1 else min(lr, end)


def cosine(t, total, lr0, end):
    return end + (lr0 - end) * (1 + math.cos(math.pi * min(t, total) / total)) / 2


def warmup_cosine(t, total, warmup, lr0, end):
    return lr0 * t / warmup if t < warmup else cosine(t - warmup, total - warmup, lr0, end)


def piecewise(t, boundaries, values):
    return values[np.searchsorted(boundaries, t, side="right")]


def same(schedule, reference, epochs):
    """Called, jitted and vmapped."""
    for t in epochs:
        np.testing.assert_allclose(schedule(t), reference(t), rtol=1e-12, atol=1e-18)
    at_once = jax.jit(jax.vmap(schedule))(jnp.asarray(epochs))
    np.testing.assert_allclose(at_once, [reference(t) for t in epochs], rtol=1e-12, atol=1e-18)


epochs = st.lists(st.integers(0, 20_000), min_size=5, max_size=5)


@settings(max_examples=25, deadline=None)
@given(rates, st.floats(0.5, 1.5), steps, st.none() | rates, st.booleans(), st.integers(0, 3000), epochs)
def test_exponential(lr0, rate, n, end, staircase, begin, ts):
    with jax.enable_x64(True):
        schedule = lrs.exponential(lr0, rate, n, end, staircase=staircase, transition_begin=begin)
        same(schedule, lambda t: exponential(t, lr0, rate, n, end, staircase, begin), [0, begin, *ts])


@settings(max_examples=15, deadline=None)
@given(steps, rates, rates, epochs)
def test_cosine(total, lr0, end, ts):
    with jax.enable_x64(True):
        same(lrs.cosine(total, lr0, end), lambda t: cosine(t, total, lr0, end), [0, total, *ts])


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 5000), st.data(), rates, rates, epochs)
def test_warmup_cosine(total, data, lr0, end, ts):
    warmup = data.draw(st.integers(0, total - 1))
    with jax.enable_x64(True):
        same(
            lrs.warmup_cosine(total, warmup, lr0, end),
            lambda t: warmup_cosine(t, total, warmup, lr0, end),
            [0, warmup, total, *ts],
        )


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 5000), max_size=5).map(sorted), st.data())
def test_piecewise_constant(boundaries, data):
    values = data.draw(st.lists(rates, min_size=len(boundaries) + 1, max_size=len(boundaries) + 1))
    around = [0, *(b + d for b in boundaries for d in (-1, 0, 1) if b + d >= 0)]
    with jax.enable_x64(True):
        schedule = lrs.piecewise_constant(boundaries, values)
        same(schedule, lambda t: piecewise(t, boundaries, values), around)


@settings(max_examples=15, deadline=None)
@given(rates, steps, st.floats(0.05, 1.5), st.lists(st.integers(0, 5000), min_size=5, max_size=5))
def test_step(lr0, size, gamma, ts):
    size = max(size, 50)
    with jax.enable_x64(True):
        same(lrs.step(lr0, size, gamma), lambda t: lr0 * gamma ** (t // size), ts)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    ("schedule", "known"),
    [
        (
            lrs.exponential(0.1, 0.96, 1000),
            {0: 0.1, 1000: 0.096, 2000: 0.09216, 3000: 0.0884736, 4000: 0.084934656},
        ),
        (
            lrs.exponential(0.1, 0.5, 1000, staircase=True),
            {0: 0.1, 999: 0.1, 1000: 0.05, 1999: 0.05, 2000: 0.025, 2999: 0.025, 3000: 0.0125},
        ),
        (
            lrs.exponential(0.01, 0.95, 1000, transition_begin=2000),
            {0: 0.01, 1000: 0.01, 2000: 0.01, 3000: 0.0095, 4000: 0.009025},
        ),
        (lrs.exponential(0.1, 0.9, 500, 0.001), {0: 0.1, 500: 0.09, 20_000: 0.1 * 0.9**40, 50_000: 0.001}),
        (lrs.exponential(0.1, 2.0, 10, 0.5), {0: 0.1, 10: 0.2, 100: 0.5}),
        (lrs.exponential(0.1, 1.0, 10, 0.5), {0: 0.1, 100: 0.1}),
        (lrs.exponential(0.1, 1.0, 10, 0.05), {0: 0.1, 100: 0.1}),
        (lrs(1e-3), {0: 1e-3, 10**6: 1e-3}),
        (lrs.warmup_cosine(100, 0, 1.0), {0: 1.0, 50: 0.5, 100: 0.0, 1000: 0.0}),
        (lrs.step(1.0, 10, gamma=0.0), {9: 1.0, 10: 0.0}),
    ],
)
def test_known_values(schedule, known, wide):
    with jax.enable_x64(wide):
        for t, lr in known.items():
            assert schedule(t).dtype == (jnp.float64 if wide else jnp.float32)
            np.testing.assert_allclose(schedule(t), lr, rtol=2e-6)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("n", [1, 3, 41, 49, 82, 98, 2000])
def test_stairs_come_on_time(n, wide):
    ts = np.arange(5001)
    with jax.enable_x64(wide):
        stairs = lrs.exponential(1.0, 0.999, n, staircase=True)
        drops = lrs.step(1.0, n, 0.999)
        factor = 0.999 if wide else float(np.float32(0.999))
        expected = np.exp(np.log(factor) * (ts // n))
        for schedule in (stairs, drops):
            inside = jax.jit(lambda ts, s=schedule: jax.lax.map(s, ts))(jnp.asarray(ts))
            np.testing.assert_allclose(inside, expected, rtol=1e-12 if wide else 2e-6)
            changes = 1 + np.flatnonzero(np.diff(np.asarray(inside)))
            np.testing.assert_array_equal(changes, np.arange(n, 5001, n))


def test_known_values_inside_jit_where_the_schedule_is_an_argument():
    run = jax.jit(lambda s, t: s(t))
    schedule = lrs.exponential(0.1, 0.5, 49, staircase=True)
    for t, lr in {48: 0.1, 49: 0.05, 97: 0.05, 98: 0.025}.items():
        np.testing.assert_allclose(run(schedule, t), lr, rtol=1e-6)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lrs(1), lrs(2e-3)),
        (lrs.exponential(1, 0.9, 1000, 1e-5), lrs.exponential(1e-2, 1.1, 333.3, 1)),
        (lrs.exponential(1, 0.9, 1e3, staircase=True), lrs.exponential(2.0, 1, 70, staircase=True)),
        (lrs.cosine(1000, 1e-3), lrs.cosine(20, 1, 1e-2)),
        (lrs.warmup_cosine(1000, 10, 1e-3), lrs.warmup_cosine(50, 0, 1, 1)),
        (lrs.piecewise_constant([1, 2], [1, 2, 3]), lrs.piecewise_constant((5, 9.0), (0.1, 0.2, 1))),
        (lrs.step(1, 5, min_lr=0, max_lr=1), lrs.step(0.1, 7, 1, min_lr=1e-3, max_lr=0.5)),
    ],
)
def test_other_numbers_compile_nothing(one, other):
    traces = []

    @jax.jit
    def run(schedule, t):
        traces.append(t)
        return schedule.update(t, None, schedule.init())

    for schedule in (one, other):
        np.testing.assert_allclose(run(schedule, 7)[0], schedule(7), rtol=1e-6)
    assert len(traces) == 1


def test_numbers_are_plain_leaves_and_unflattening_checks_nothing():
    schedule = lrs.exponential(np.float32(0.5), jnp.asarray(0.25), 10, staircase=True, min_lr=0)
    leaves, structure = jax.tree.flatten(schedule)
    assert all(type(leaf) in (int, float) for leaf in leaves)
    jax.tree.unflatten(structure, [None] * len(leaves))


def test_clamps():
    schedule = lrs.exponential(1.0, 0.1, 1, min_lr=1e-2, max_lr=0.5)
    assert [round(schedule(t).item(), 6) for t in range(4)] == [0.5, 0.1, 0.01, 0.01]
    assert lrs(lrs(0.1, max_lr=0.05), min_lr=0.2)(0).item() == pytest.approx(0.2)
    assert math.isnan(lrs(lambda epoch: jnp.nan, min_lr=0.1)(0))


def test_hyperparameters_may_be_traced():
    @jax.grad
    def slope(lr0):
        return lrs.exponential(lr0, 0.5, 10)(20)

    assert slope(3.0) == pytest.approx(0.25)


def test_the_rate_is_a_strongly_typed_scalar():
    for schedule in (lrs(1e-3), lrs.step(1.0, 5), lrs(lambda epoch: 1), lrs(lambda epoch: epoch > 3)):
        lr = jax.jit(schedule)(0)
        assert lr.shape == () and lr.dtype == jnp.float32 and not lr.weak_type


def test_epochs_of_any_integer_type(x64):
    schedule = lrs.step(1.0, 10, 0.5)
    for epoch in (25, np.int32(25), np.uint8(25), jnp.int32(25), jnp.asarray(25, jnp.int16), 25.0):
        assert schedule(epoch).item() == 0.25 and schedule(epoch).dtype == jnp.float64


def test_schedules_print_their_numbers():
    assert "decay_rate=0.9" in repr(lrs.exponential(1.0, 0.9, 10))
    assert eqx.tree_equal(lrs.step(1.0, 5), lrs.step(1.0, 5))


WRONG = [
    (
        lambda: lrs.exponential(1e-3, 0.9, 0),
        "decay_steps = 0, but decay_steps must be a finite number above 0",
    ),
    (lambda: lrs.exponential(1e-3, 0.9, -5), "decay_steps"),
    (lambda: lrs.exponential(1e-3, 0.9, 2.5, staircase=True), "whole number"),
    (lambda: lrs.exponential(1e-3, 0, 100), "decay_rate"),
    (lambda: lrs.exponential(1e-3, -0.5, 100), "decay_rate"),
    (lambda: lrs.exponential(1e-3, math.nan, 100), "decay_rate"),
    (lambda: lrs.exponential(1e-3, 0.9, 100, transition_begin=-1), "transition_begin"),
    (lambda: lrs.exponential(1e-3, 0.9, 100, staircase=1), "True or False"),
    (lambda: lrs.exponential([1e-3], 0.9, 100), r"lr0 = \[0.001\]"),
    (lambda: lrs.exponential(1e-3, 0.9, 100, math.inf), "lr_end"),
    (lambda: lrs.cosine(0, 1e-3), "total_steps"),
    (lambda: lrs.cosine(10.5, 1e-3), "total_steps"),
    (lambda: lrs.cosine(10, "1e-3"), "lr0"),
    (lambda: lrs.warmup_cosine(100, 100, 1e-3), "Give fewer warmup_steps"),
    (lambda: lrs.warmup_cosine(100, 200, 1e-3), "Give fewer warmup_steps"),
    (lambda: lrs.warmup_cosine(100, -1, 1e-3), "warmup_steps"),
    (lambda: lrs.piecewise_constant([10, 20], [1, 2]), "Give 3 values"),
    (lambda: lrs.piecewise_constant([20, 10], [1, 2, 3]), "10 comes after 20"),
    (lambda: lrs.piecewise_constant([10, 10], [1, 2, 3]), "increase"),
    (lambda: lrs.piecewise_constant(10, [1, 2]), "a list of numbers"),
    (lambda: lrs.piecewise_constant([10.5], [1, 2]), r"boundaries\[0\] = 10.5"),
    (lambda: lrs.piecewise_constant([10], [1, math.nan]), r"values\[1\]"),
    (lambda: lrs.step(1e-3, 0), "step_size"),
    (lambda: lrs.step(1e-3, -1), "step_size"),
    (lambda: lrs.step(1e-3, True), "step_size"),
    (lambda: lrs.step(1e-3, 2**40), "step_size"),
    (lambda: step_lr([1e-3], 5), "step_lr got base_lr"),
    (lambda: lrs(1e-3, min_lr=1, max_lr=0.5), "min_lr = 1 and max_lr = 0.5"),
    (lambda: lrs.cosine(10, 1e-3, min_lr=1, max_lr=0.5), "cannot be above"),
    (lambda: lrs(1e-3, min_lr=math.nan), "min_lr"),
    (lambda: lrs(math.nan), "a finite number"),
    (lambda: lrs(math.inf), "a finite number"),
    (lambda: lrs([1e-3, 1e-4]), "piecewise_constant"),
    (lambda: lrs(np.array([1e-3, 1e-4])), "piecewise_constant"),
    (lambda: lrs("1e-3"), "is a number, or a function"),
    (lambda: lrs(None), "is a number, or a function"),
    (lambda: lrs(True), "is a number, or a function"),
    (lambda: lrs(1e-3, state=1.0), "with state is a function"),
    (lambda: lrs.constant([1e-3]), "lrs.constant got lr"),
]


@pytest.mark.parametrize(("build", "told"), WRONG)
def test_wrong_numbers_are_errors_where_they_are_written(build, told):
    with pytest.raises(ScheduleError, match=told):
        build()


@pytest.mark.parametrize("epochs", [[0, 1], np.arange(3), jnp.arange(3), (1, 2)])
def test_many_epochs_at_once_are_an_error_that_says_how(epochs):
    with pytest.raises(ScheduleError, match=r"jax\.vmap"):
        lrs(1e-3)(epochs)


@pytest.mark.parametrize("epoch", [None, "3", True])
def test_an_epoch_is_a_number(epoch):
    with pytest.raises(ScheduleError, match="one epoch"):
        lrs(1e-3)(epoch)
