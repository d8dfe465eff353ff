"""Rates with state, and the functional face for other solvers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs
from pinnace.schedule import as_schedule, constant_lr, dlrs, lambda_lr, step_lr


def scanned(rate, state, n):
    def one(state, t):
        lr, state = rate(t, state)
        return state, lr

    return jax.jit(lambda state: lax.scan(one, state, jnp.arange(n)))(state)


def best_so_far(epoch, losses, state):
    """Halves the rate where the first loss is no better than ever before."""
    if losses[0] < state["best"]:
        return state["lr"], {"lr": state["lr"], "best": losses[0], "bad": 0}
    lr = state["lr"] / 2 if state["bad"] >= 1 else state["lr"]
    return lr, {"lr": lr, "best": state["best"], "bad": (state["bad"] + 1) % 2}


def test_a_state_that_branches(x64):
    schedule = lrs(best_so_far, state={"lr": 1, "best": np.inf, "bad": 0} | {"lr": 1.0})
    losses = np.random.default_rng(0).random(200)
    plain, expected = {"lr": 1.0, "best": np.inf, "bad": 0}, []
    for t, loss in enumerate(losses):
        lr, plain = best_so_far(t, [loss], plain)
        expected.append(lr)

    def one(carry):
        t, state, rates = carry
        lr, state = schedule.update(t, jnp.asarray(losses)[t][None], state)
        return t + 1, state, rates.at[t].set(lr)

    run = jax.jit(lambda: lax.while_loop(lambda c: c[0] < 200, one, (0, schedule.init(), jnp.zeros(200))))
    np.testing.assert_allclose(run()[2], expected, rtol=1e-12)


def test_state_keeps_its_types():
    schedule = lrs(
        lambda epoch, state: (1.0, {"i": 0, "x": 1, "a": state["a"]}),
        state={"i": 1, "x": 1.0, "a": np.ones(2)},
    )
    before = schedule.init()
    assert [leaf.dtype for leaf in jax.tree.leaves(before)] == [jnp.float32, jnp.int32, jnp.float32]
    after = schedule.update(0, None, before)[1]
    for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert old.dtype == new.dtype and old.shape == new.shape and not old.weak_type and not new.weak_type


def test_clamps_touch_the_rate_and_not_the_state():
    schedule = lrs(lambda epoch, state: (state, 2 * state), state=1.0, max_lr=3.0)
    state, rates = scanned(lambda t, s: schedule.update(t, None, s), schedule.init(), 4)
    np.testing.assert_array_equal(rates, [1.0, 2.0, 3.0, 3.0])
    assert state == 16.0


def test_random_keys_may_be_state():
    def noisy(epoch, state):
        key, now = jax.random.split(state)
        return (jax.random.uniform(now) if epoch > 2 else 1.0), (key if epoch > 1 else state)

    schedule = lrs(noisy, state=jax.random.key(0))
    _, rates = scanned(lambda t, s: schedule.update(t, None, s), schedule.init(), 5)
    assert rates[0] == 1.0 and 0 <= rates[4] < 1


@pytest.mark.parametrize(
    ("function", "state", "told"),
    [
        (lambda epoch, state: 1.0, 0.0, r"returns \(lr, next_state\)"),
        (lambda epoch, state: (1.0, state, state), 0.0, r"returns \(lr, next_state\)"),
        (lambda epoch, state: (1.0, [state]), 0.0, "structure"),
        (lambda epoch, state: (1.0, state + 0.5), 0, "int32.* became float32.* such as 0.0"),
        (lambda epoch, state: (1.0, jnp.stack([state, state])), 0.0, "shapes and types"),
        (lambda epoch, state: (None, state), 0.0, "returns a number"),
    ],
)
def test_wrong_states(function, state, told):
    schedule = lrs(function, state=state)
    with pytest.raises(ScheduleError, match=told):
        schedule.update(0, None, schedule.init())


def test_a_rate_with_state_is_not_called():
    with pytest.raises(ScheduleError, match=r"schedule.update\(epoch, losses, state\)"):
        lrs(lambda epoch, state: (1.0, state), state=0.0)(0)


def test_constant_lr():
    assert constant_lr(0.5)(jnp.asarray(3)) == 0.5


def test_lambda_lr():
    assert lambda_lr(lambda step: jnp.exp(-0.001 * step))(0) == 1.0
    with pytest.raises(ScheduleError, match="of the step alone"):
        lambda_lr(lambda epoch, losses: losses[0])


def test_step_lr():
    schedule = jax.jit(step_lr(0.1, 1000, 0.5))
    np.testing.assert_allclose([schedule(t) for t in (0, 999, 1000, 3000)], [0.1, 0.1, 0.05, 0.0125], rtol=1e-6)
    assert step_lr(1.0, 5)(5).item() == pytest.approx(0.1)


def adaptive(step, state):
    lr = state["lr"]
    return lr, {"lr": lr * jnp.where(step % 3 == 2, 0.5, 1.0)}


def branching(step, state):
    return state["lr"], {"lr": state["lr"] * 0.5 if step % 3 == 2 else state["lr"]}


@pytest.mark.parametrize("schedule", [adaptive, branching])
def test_as_schedule_with_state(schedule):
    rate, state = as_schedule(schedule, {"lr": 1})
    with pytest.raises(ScheduleError, match="int32"):
        rate(0, state)
    rate, state = as_schedule(schedule, {"lr": 1.0})
    state, rates = scanned(rate, state, 7)
    np.testing.assert_array_equal(rates, [1, 1, 1, 0.5, 0.5, 0.5, 0.25])
    own = lrs(schedule, state={"lr": 1.0})
    np.testing.assert_array_equal(scanned(*as_schedule(own), 7)[1], rates)


@pytest.mark.parametrize(
    "lr", [0.5, jnp.asarray(0.5), lambda step: 0.5 if step < 9 else 1.0, lrs(0.5), constant_lr(0.5)]
)
def test_as_schedule_without_state(lr):
    rate, state = as_schedule(lr)
    assert state is None
    assert rate(0, "anything") == (0.5, "anything")
    assert scanned(rate, None, 3)[1].tolist() == [0.5] * 3


def test_as_schedule_of_what_it_cannot_take():
    with pytest.raises(ScheduleError, match="reads losses"):
        as_schedule(dlrs())
    with pytest.raises(ScheduleError, match="leave schedule_state out"):
        as_schedule(lrs(0.1), {"lr": 1.0})
