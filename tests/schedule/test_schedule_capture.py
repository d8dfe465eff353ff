"""Python branches inside the compiled step: the same values as plain Python gives, however it is run."""

import bisect
import functools
import math

import equinox as eqx
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


def falling_through(epoch, losses):
    if epoch < 100:
        return 1e-2
    if losses[0] < losses[1]:
        rate = 1e-3
    elif losses[0] < 2 * losses[1]:
        rate = 1e-4
    else:
        rate = epoch / 1e6
    return rate


def looping(epoch, losses):
    rate = 1.0
    for loss in losses:
        if loss > 0.5:
            rate *= 0.5
    return rate


def bounded_while(epoch, losses):
    k = 0
    while losses[0] > 0.1 * (k + 1) and k < 8:
        k += 1
    return 2.0**-k


def matching(epoch, losses):
    match epoch % 3:
        case 0:
            return 1.0
        case 1 | 2:
            return losses[0]
    return 0.0


def asserting_what_holds(epoch, losses):
    big = losses[0] > 0.5
    if big:
        return 1.0
    assert not big
    return 2.0


def nested(epoch, losses):
    inner = lrs(lambda epoch, losses: losses[1] if losses[0] > 0.5 else epoch / 100)
    return inner(epoch, losses) if epoch > 10 else -inner(epoch, losses)


@functools.partial(jax.jit, static_argnames="base")
def jitted(x, base):
    return base + jnp.where(x > 0.5, x, 0.0)


@jax.custom_vjp
def custom(x):
    return x * x


custom.defvjp(lambda x: (x * x, x), lambda x, g: (2 * x * g,))

FUNCTIONS = [
    lambda epoch, losses: 1e-3 if losses[0] > 1e-2 else 1e-5,
    lambda epoch, losses: 1e-4 * (0.9 ** (epoch / 500)),
    lambda epoch, losses: 1.0 if 0.2 < losses[0] <= 0.8 else 2.0,
    lambda epoch, losses: 1.0 if losses[0] > 0.5 and losses[1] > 0.5 else 2.0,
    lambda epoch, losses: 1.0 if losses[0] > 0.5 or not losses[1] > 0.5 else 2.0,
    lambda epoch, losses: (losses[0] > 0.5 and losses[1]) or losses[2],
    lambda epoch, losses: max(losses[0], losses[1]) - min(losses[0], losses[2], 0.3),
    lambda epoch, losses: max(losses) / (1 + sum(losses)),
    lambda epoch, losses: sorted(losses)[1],
    lambda epoch, losses: abs(losses[0] - losses[1]) ** 2,
    lambda epoch, losses: round(losses[0] * 10) + round(losses[1] * 10),
    lambda epoch, losses: 1.0 if epoch % 7 == 0 else -epoch % 5,
    lambda epoch, losses: epoch // 7 + divmod(epoch, 13)[1] + (epoch & 3),
    lambda epoch, losses: 10 ** (-epoch % 5 - 3),
    lambda epoch, losses: 1 / (1 + 1e-9 * epoch**3),
    lambda epoch, losses: 2.0**-epoch if epoch < 50 else 3**-2,
    lambda epoch, losses: 1.0 if epoch in (3, 5, 100) else 0.5,
    lambda epoch, losses: [1.0, 0.5, 0.25, 0.1][bisect.bisect([100, 200, 1000], epoch)],
    lambda epoch, losses: jnp.asarray([1.0, 0.5, 0.1])[np.searchsorted([100, 1000], epoch, side="right")],
    lambda epoch, losses: math.floor(epoch / 49) + math.ceil(losses[0]) + math.trunc(3 * losses[1]),
    lambda epoch, losses: 1.0 if epoch / 41 >= 1 else epoch / 49,
    lambda epoch, losses: 1.0 if all(loss > 0.2 for loss in losses) else 0.5,
    lambda epoch, losses: 1.0 if any(loss > 0.8 for loss in losses) else len(losses),
    lambda epoch, losses: losses[-1] + sum(losses[1:]) + sum(loss for loss in losses if loss > 0.4),
    lambda epoch, losses: np.exp(-losses[0]) + np.sqrt(losses[1]) + np.maximum(losses[2], 0.5),
    lambda epoch, losses: np.clip(epoch, 10, 100) + np.where(losses[0] > 0.5, 1.0, 2.0),
    lambda epoch, losses: np.interp(epoch, [0, 100, 1000], [1.0, 0.5, 0.1]),
    lambda epoch, losses: np.sum(losses) + np.mean(losses) + np.max(losses) + np.linalg.norm(losses),
    lambda epoch, losses: np.float64(2.0) * losses[0] + np.int64(3) / (1 + epoch),
    lambda epoch, losses: np.add.reduce(losses) + np.stack([losses[0], losses[1]])[1],
    lambda epoch, losses: jnp.exp(-losses[0]) + jnp.sum(losses) + jnp.stack([losses[0], 1.0])[0],
    lambda epoch, losses: jnp.where(losses[0] > 0.5, 1.0, 2.0) if epoch > 10 else 3.0,
    lambda epoch, losses: lax.cond(losses[0] > 0.5, lambda: losses[1], lambda: 2.0 * losses[2]),
    lambda epoch, losses: lax.switch(epoch % 3, [lambda: 1.0, lambda: 2.0, lambda: 3.0]),
    lambda epoch, losses: lax.fori_loop(0, 5, lambda i, x: x + losses[0] * i, 0.0),
    lambda epoch, losses: lax.while_loop(lambda x: x > 1, lambda x: x / 2, epoch * 1.0),
    lambda epoch, losses: jitted(losses[0], 1.5) if jitted(losses[1], 0.0) else 2.0,
    lambda epoch, losses: jax.nn.softplus(losses[0]) + jax.nn.relu(losses[1] - 0.5) + jax.nn.silu(losses[2]),
    lambda epoch, losses: custom(losses[0]) if custom(losses[1]) > 0.25 else 1.0,
    lambda epoch, losses: jax.grad(lambda x: jnp.sin(x) * losses[1])(losses[0]),
    lambda epoch, losses: jax.vmap(lambda x: x * losses[0])(jnp.arange(3.0))[2],
    lambda epoch, losses: jnp.linalg.solve(2 * jnp.eye(2), jnp.stack([losses[0], losses[1]]))[0],
    lambda epoch, losses: 5 if epoch else 7,
    lambda epoch, losses: 1.0 if (losses[0] > 0.5) == (losses[1] > 0.5) else 2.0,
    falling_through,
    looping,
    bounded_while,
    matching,
    asserting_what_holds,
    nested,
]

values = st.sampled_from([0.0, 0.01, 0.2, 0.5, 0.8, 1.0]) | st.floats(0.0, 1.0, allow_subnormal=False)
epochs = st.sampled_from([0, 3, 7, 41, 48, 49, 82, 98, 100, 199, 200, 1000, 70_000]) | st.integers(0, 5000)


@functools.cache
def compiled(function):
    """One epoch in a jitted function, many under vmap, and in a loop."""
    schedule = lrs(function)

    @jax.jit
    def everywhere(epoch, losses):
        one = schedule.update(epoch, losses, ())[0]
        both = jax.vmap(schedule)(jnp.stack([epoch, epoch + 1]), jnp.stack([losses, losses]))
        looped = lax.while_loop(
            lambda carry: carry[0] <= epoch,
            lambda carry: (carry[0] + 1, schedule(carry[0], losses)),
            (epoch, 0.0),
        )
        return one, both[0], looped[1]

    return everywhere


@pytest.mark.parametrize("function", FUNCTIONS)
def test_as_plain_python(function):
    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(epochs, st.lists(values, min_size=3, max_size=3))
    def check(epoch, losses):
        plain = float(function(epoch, np.asarray(losses)))
        for value in compiled(function)(epoch, jnp.asarray(losses)):
            np.testing.assert_allclose(value, plain, rtol=1e-12, atol=1e-15)

    with jax.enable_x64(True):
        check()
        compiled.cache_clear()


@pytest.mark.parametrize("function", FUNCTIONS[:8])
def test_outside_as_inside(function):
    for losses in ([0.5, 0.25, 1.0], [1.0, 2.0, 0.0]):
        outside = lrs(function)(41, losses)
        assert outside.dtype == jnp.float32
        np.testing.assert_allclose(outside, function(41, np.asarray(losses, np.float32)), rtol=1e-6)


NORMAL = st.floats(-1, 1, allow_subnormal=False)  # XLA flushes the others to zero


@settings(max_examples=15, deadline=None)
@given(st.lists(NORMAL, min_size=3, max_size=3), st.lists(NORMAL, min_size=2, max_size=2))
def test_random_thresholds(thresholds, losses):
    a, b, c = thresholds

    def function(epoch, losses):
        if losses[0] > a:
            return 1.0 if losses[1] < b else 2.0
        return 3.0 if losses[0] + losses[1] >= c or losses[1] == b else losses[0] * losses[1]

    with jax.enable_x64(True):
        np.testing.assert_allclose(lrs(function)(0, losses), function(0, losses), rtol=1e-15, atol=1e-300)


def test_nan_takes_the_branch_that_it_takes_in_python():
    schedule = lrs(lambda epoch, losses: 1e-3 if losses[0] > 1e-2 else 1e-5)
    assert schedule(0, [math.nan]) == pytest.approx(1e-5)
    assert lrs(lambda epoch, losses: 1.0 if losses[0] else 2.0)(0, [math.nan]) == 1.0


def test_paths_that_are_not_taken_may_be_nan_or_infinite():
    schedule = lrs(lambda epoch, losses: jnp.log(losses[0]) if losses[0] > 0 else 1 / (losses[0] - losses[0] + 1))
    assert schedule(0, [-1.0]) == 1.0
    assert lrs(lambda epoch: 1.0 / epoch if epoch else 7.0)(0) == 7.0


def test_powers_of_integers_do_not_overflow_in_32_bits():
    assert lrs(lambda epoch: 1e-9 * epoch**2)(70_000) == pytest.approx(4.9)
    assert lrs(lambda epoch: 10 ** (-epoch))(3) == pytest.approx(1e-3)


def test_a_question_is_asked_once():
    runs = []

    def function(epoch):
        runs.append(epoch)
        big = epoch > 5
        return sum((1.0 if big else 2.0) for _ in range(100))

    assert lrs(function)(3) == 200.0
    assert len(runs) == 2


def test_64_paths_are_enough():
    def steps(epoch):
        for i in range(63):
            if epoch <= i:
                return float(i)
        return -1.0

    schedule = lrs(steps)
    assert [schedule(t).item() for t in (0, 1, 62, 63)] == [0.0, 1.0, 62.0, -1.0]


def test_calls_outside_are_compiled_once():
    traces = []
    schedule = lrs(lambda epoch: traces.append(0) or (1.0 if epoch > 3 else 2.0))
    assert [schedule(t).item() for t in (0, 3, 4)] == [2.0, 2.0, 1.0]
    assert len(traces) == 2


def test_derivatives_pass_through_branches_and_custom_rules():
    def slope(function, x):
        return jax.grad(lambda x: lrs(lambda epoch, losses: function(losses[0]))(0, jnp.stack([x])))(x).item()

    assert slope(lambda x: 3 * x if x > 1 else x * x, 0.5) == 1.0
    assert slope(jax.nn.relu, 0.0) == 0.0
    assert slope(custom, 3.0) == 6.0


def test_closures_over_traced_values():
    @jax.jit
    def run(threshold, epoch):
        return lrs(lambda epoch: 1.0 if epoch > threshold else threshold * 1.0)(epoch)

    assert run(5, 6) == 1.0 and run(7, 6) == 7.0


def test_callable_modules_keep_their_numbers_as_leaves():
    class Half(eqx.Module):
        base: jax.Array

        def __call__(self, epoch):
            return self.base if epoch < 10 else self.base / 2

    traces = []

    @jax.jit
    def run(schedule):
        traces.append(0)
        return schedule(10)

    assert run(lrs(Half(jnp.asarray(1.0)))) == 0.5
    assert run(lrs(Half(jnp.asarray(3.0)))) == 1.5
    assert len(traces) == 1


def test_callables_of_every_kind():
    class Rate:
        __hash__ = None

        def __call__(self, epoch):
            return 0.5 if epoch > 1 else 0.25

        def method(self, epoch, losses, scale=2.0):
            return scale * losses[0]

    def tripled(epoch, losses=None, *more, **named):
        return 3.0 * epoch

    assert lrs(Rate())(2) == 0.5
    assert jax.jit(lambda s: s(2))(lrs(Rate())) == 0.5
    assert lrs(Rate().method)(0, [2.0]) == 4.0
    assert lrs(functools.partial(Rate().method, scale=1.0))(0, [2.0]) == 2.0
    assert lrs(tripled)(2) == 6.0 and not lrs(tripled).reads_losses
    assert lrs(jax.jit(lambda epoch: epoch / 2))(3) == 1.5
    assert lrs(jnp.exp)(0) == 1.0
    assert lrs(eqx.nn.Lambda(lambda x, *, key=None: x * 2.0))(3) == 6.0


SCHEDULES = [
    optax.constant_schedule(0.1),
    optax.exponential_decay(0.1, 49, 0.5, staircase=True, transition_begin=3),
    optax.exponential_decay(0.1, 100, 0.9, end_value=0.02),
    optax.cosine_decay_schedule(0.1, 500),
    optax.warmup_cosine_decay_schedule(0.0, 0.1, 50, 500),
    optax.piecewise_constant_schedule(0.1, {100: 0.5, 300: 0.1}),
    optax.polynomial_schedule(0.1, 0.01, 2, 300),
    optax.sgdr_schedule([{"init_value": 0.0, "peak_value": 0.1, "decay_steps": 100, "warmup_steps": 10}] * 3),
    optax.join_schedules([optax.linear_schedule(0.0, 0.1, 50), optax.constant_schedule(0.1)], [50]),
    optax.linear_onecycle_schedule(500, 0.1),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_optax_schedules(schedule):
    ours = jax.jit(lrs(schedule))
    for t in (0, 1, 3, 52, 101, 250, 600):
        np.testing.assert_allclose(ours(t), schedule(t), rtol=2e-6, atol=1e-9)


def test_staircases_of_optax_come_on_time_too():
    schedule = lrs(optax.exponential_decay(1.0, 41, 0.5, staircase=True))
    at_once = jax.jit(jax.vmap(schedule))(jnp.arange(200))
    np.testing.assert_allclose(at_once, 0.5 ** (np.arange(200) // 41), rtol=1e-6)


@pytest.mark.parametrize(
    "schedule", [lrs.exponential(0.1, 0.5, 2), lrs(lambda epoch: 0.1 if epoch < 2 else 0.01), lrs(0.1)]
)
def test_as_the_rate_of_an_optax_optimizer(schedule):
    tx = optax.sgd(learning_rate=schedule)

    @jax.jit
    def run(p):
        def one(carry, _):
            p, state = carry
            updates, state = tx.update(jnp.ones_like(p), state)
            return (optax.apply_updates(p, updates), state), -updates

        return lax.scan(one, (p, tx.init(p)), length=5)[1]

    np.testing.assert_allclose(run(jnp.zeros(())), [schedule(t) for t in range(5)], rtol=1e-6)
    optax.adam(learning_rate=schedule).init(jnp.zeros(3))


def test_injected_into_an_optax_optimizer():
    schedule = lrs(lambda epoch: 1.0 if epoch < 2 else 0.5)
    with pytest.raises(ScheduleError, match=r"lambda count: schedule\(count\)"):
        optax.inject_hyperparams(optax.sgd)(learning_rate=schedule).init(jnp.zeros(2))
    tx = optax.inject_hyperparams(optax.sgd)(learning_rate=lambda count: schedule(count))
    state = tx.init(jnp.zeros(2))
    for rate in (1.0, 1.0, 0.5):
        _, state = jax.jit(tx.update)(jnp.ones(2), state)
        assert state.hyperparams["learning_rate"] == rate


def test_no_value_leaks():
    with jax.checking_leaks():
        schedule = lrs(lambda epoch, losses: max(losses) if epoch > 3 else jnp.sum(losses))
        assert jax.jit(schedule)(5, jnp.asarray([1.0, 3.0])) == 3.0


def test_jax_debug_print(capfd):
    def spoken(epoch):
        jax.debug.print("epoch {}", epoch)
        return 1.0

    lrs(spoken)(3).block_until_ready()
    jax.effects_barrier()
    assert "epoch 3" in capfd.readouterr().out
