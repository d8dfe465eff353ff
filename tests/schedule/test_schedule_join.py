"""Rates after one another, and warm-up in front of any: values, epochs and states."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs
from pinnace.schedule import LossValues, dlrs


def scanned(schedule, totals):
    """The rates of a run whose single entry has these values."""

    def one(state, now):
        t, total = now
        lr, state = schedule.update(t, LossValues(total[None], {"pde": total}, total), state)
        return state, lr

    totals = jnp.asarray(totals, float)
    return np.asarray(jax.jit(lambda: lax.scan(one, schedule.init(), (jnp.arange(len(totals)), totals)))()[1])


def alone(schedule, totals):
    """The rates of a schedule with state, called step by step from its own epoch 0."""
    state, found = schedule.init(), []
    for t, total in enumerate(totals):
        lr, state = schedule.update(t, [total], state)
        found.append(float(lr))
    return found


@settings(max_examples=5, deadline=None)
@given(st.sets(st.integers(0, 200), max_size=4).map(sorted))
def test_join_equals_optax(boundaries):
    with jax.enable_x64(True):
        own = [lrs.exponential(0.1 * (k + 1), 1.5, 10) for k in range(len(boundaries) + 1)]
        theirs = optax.join_schedules(
            [optax.exponential_decay(0.1 * (k + 1), 10, 1.5) for k in range(len(own))], boundaries
        )
        joined = lrs.join(own, boundaries)
        ts = jnp.arange(220)
        starts = np.array([0, *boundaries])
        part = np.searchsorted(boundaries, ts, side="right")
        expected = 0.1 * (part + 1) * 1.5 ** ((np.asarray(ts) - starts[part]) / 10)
        for got in (jax.jit(jax.vmap(joined))(ts), [joined(t) for t in range(220)][:220]):
            np.testing.assert_allclose(got, expected, rtol=1e-12)
        np.testing.assert_allclose(expected, jax.vmap(theirs)(ts), rtol=1e-12)


def test_parts_may_be_numbers_functions_and_schedules():
    joined = lrs.join([1, lambda epoch: 2.0 if epoch < 2 else 3.0, lrs.step(4.0, 2, 0.5), jnp.asarray(9.0)], [2, 5, 8])
    assert [joined(t).item() for t in range(10)] == [1, 1, 2, 2, 3, 4, 4, 2, 9, 9]
    assert not joined.reads_losses and not joined.has_state
    tx = optax.adam(joined)
    tx.update(jnp.ones(2), tx.init(jnp.ones(2)))


def test_parts_that_read_losses():
    joined = lrs.join([1.0, lambda epoch, losses: losses["pde"] + epoch], [2])
    assert joined.reads_losses and not joined.has_state
    assert joined(1, {"pde": 5.0}) == 1.0 and joined(3, {"pde": 5.0}) == 6.0
    with pytest.raises(ScheduleError, match="got none"):
        joined(1)


def test_each_state_moves_only_while_its_part_is_on(x64):
    totals = np.random.default_rng(0).random(60) + 1
    totals[[7, 33]] = np.nan
    counting = lrs(lambda epoch, state: (state + 100.0 * epoch, state + 1), state=0.0)
    cutting = lrs.plateau(1.0, factor=0.5, patience=2)
    joined = lrs.join([cutting, counting, dlrs(window=3), cutting], [10, 25, 40])
    assert joined.has_state
    expected = np.concatenate(
        [
            alone(cutting, totals[:10]),
            101.0 * np.arange(15),
            alone(dlrs(window=3), totals[25:40]),
            alone(cutting, totals[40:]),
        ]
    )
    assert len(np.unique(expected[:10])) > 1 and len(np.unique(expected[25:40])) > 3
    np.testing.assert_allclose(scanned(joined, totals), expected, rtol=1e-12)


def test_a_state_stands_before_and_after_its_part():
    counting = lrs(lambda epoch, state: (1.0, state + 1), state=0.0)
    joined = lrs.join([counting, counting, counting], [3, 5])
    state = joined.init()
    for t in range(7):
        _, state = joined.update(t, None, state)
    assert [float(count) for count in state] == [3, 2, 2]


def test_joins_nest(x64):
    inner = lrs.join([1.0, lrs(lambda epoch, state: (state, state + 1), state=2.0)], [3])
    joined = lrs.join([inner, lrs.join([0.5, inner], [2])], [6])
    np.testing.assert_array_equal(scanned(joined, np.ones(14)), [1, 1, 1, 2, 3, 4, 0.5, 0.5, 1, 1, 1, 2, 3, 4])


def test_clamps_of_parts_hold():
    joined = lrs.join([lrs.step(1.0, 1, 0.5, min_lr=0.5), lrs(1.0, max_lr=0.25)], [3], max_lr=0.75)
    assert [joined(t).item() for t in range(4)] == [0.75, 0.5, 0.5, 0.25]


def test_what_is_off_is_not_seen():
    """A part before its start or after its end may be anything."""
    joined = lrs.join([lambda epoch: jnp.where(epoch < 3, 1.0, jnp.nan), lambda epoch: 1.0 / (epoch + 1)], [3])
    assert np.all(np.isfinite([joined(t) for t in range(6)]))
    slope = jax.grad(lambda lr: lrs.join([lrs.exponential(lr, 2.0, 1), lr], [3])(5))(2.0)
    assert slope == 1.0


def test_random_keys_may_be_states_of_parts():
    noisy = lrs(lambda epoch, key: (jax.random.uniform(key), jax.random.split(key)[0]), state=jax.random.key(0))
    rates = scanned(lrs.warmup(lrs.join([noisy, noisy], [3]), 2), np.ones(8))
    np.testing.assert_array_equal(rates[2:5], rates[5:8])
    assert len(np.unique(rates[2:5])) == 3


@pytest.mark.parametrize("start", [0.0, 0.3])
@pytest.mark.parametrize("n", [1, 10, 41])
def test_warmup_in_front_of_a_curve(n, start, x64):
    inner = lrs.exponential(2.0, 0.5, 20)
    ts = np.arange(100)
    expected = np.where(ts < n, start + (2.0 - start) * ts / n, 2.0 * 0.5 ** ((ts - n) / 20))
    for schedule in (lrs.warmup(inner, n, start), lrs.warmup(optax.exponential_decay(2.0, 20, 0.5), n, start)):
        np.testing.assert_allclose(jax.jit(jax.vmap(schedule))(jnp.asarray(ts)), expected, rtol=1e-12)
    theirs = optax.join_schedules([optax.linear_schedule(start, 2.0, n), optax.exponential_decay(2.0, 20, 0.5)], [n])
    np.testing.assert_allclose(expected, jax.vmap(theirs)(jnp.asarray(ts)), rtol=1e-9)


def test_warmup_equals_warmup_cosine(x64):
    ts = jnp.arange(120)
    one, other = lrs.warmup(lrs.cosine(90, 1e-3, 1e-5), 10), lrs.warmup_cosine(100, 10, 1e-3, 1e-5)
    np.testing.assert_allclose(jax.vmap(one)(ts), jax.vmap(other)(ts), rtol=1e-12)


def test_no_warmup_and_warmup_of_a_number():
    assert [lrs.warmup(0.5, 0)(t).item() for t in (0, 1)] == [0.5, 0.5]
    assert [lrs.warmup(1, 4, start=1)(t).item() for t in (0, 3, 9)] == [1, 1, 1]
    assert [lrs.warmup(1.0, 2, start=2.0)(t).item() for t in range(4)] == [2.0, 1.5, 1.0, 1.0]


def test_warmup_of_a_state_does_not_move_it(x64):
    totals = np.concatenate([np.full(20, 5.0), np.full(20, 7.0)])
    inner = lrs.plateau(1.0, factor=0.5, patience=3)
    got = scanned(lrs.warmup(inner, 10), totals)
    np.testing.assert_allclose(got[:10], np.arange(10) / 10, rtol=1e-12)
    np.testing.assert_allclose(got[10:], alone(inner, totals[10:]), rtol=1e-12)
    assert got[-1] < 1.0
    for inner in (dlrs(window=4), lrs(lambda epoch, losses, state: (state, state + losses[0]), state=1.0)):
        got = scanned(lrs.warmup(inner, 10), totals)
        np.testing.assert_allclose(got[10:], alone(inner, totals[10:]), rtol=1e-12)
        np.testing.assert_allclose(got[:10], float(got[10]) * np.arange(10) / 10, rtol=1e-12)


def test_warmup_follows_a_rate_that_reads_losses():
    schedule = lrs.warmup(lrs(lambda epoch, losses: losses[0]), 4)
    assert [schedule(t, [8.0]).item() for t in (1, 2, 4)] == [2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: lrs.join([1, 2], [1, 2]), "Give 3 schedules"),
        (lambda: lrs.join([], []), "Give 1 schedules"),
        (lambda: lrs.join([1, 2, 3], [5, 5]), "5 comes after 5"),
        (lambda: lrs.join([1, 2], [-1]), r"boundaries\[0\] = -1"),
        (lambda: lrs.join([1, 2], [2.5]), r"boundaries\[0\] = 2.5"),
        (lambda: lrs.join([1, 2], 5), "a list of numbers"),
        (lambda: lrs.join(1e-3, []), "a list of schedules"),
        (lambda: lrs.join([1, "2"], [5]), "is a number, or a function"),
        (lambda: lrs.join([1, lambda epoch, losses, state: 1], [5]), r"lrs\(f, state=...\)"),
        (lambda: lrs.join([1, optax.adam(1)], [5]), "This is an optimizer"),
        (lambda: lrs.warmup(1.0, -1), "steps = -1"),
        (lambda: lrs.warmup(1.0, 1.5), "steps = 1.5"),
        (lambda: lrs.warmup(1.0, 10, start=None), "start = None"),
        (lambda: lrs.warmup([1.0], 10), "piecewise_constant"),
    ],
)
def test_wrong_arguments(build, told):
    with pytest.raises(ScheduleError, match=told):
        build()
