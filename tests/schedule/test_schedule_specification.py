"""What the specification shows about rates: its calls as they are written, its values as they are printed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from pinnace import LearningRateSchedule as lrs
from pinnace.fn.adaptive import dlrs
from pinnace.schedule import as_schedule, constant_lr, lambda_lr, step_lr

BOTH = pytest.mark.parametrize("wide", [False, True])

TABLE = [
    (lrs.exponential(0.1, 0.96, 1000), {0: 0.1, 1000: 0.096, 2000: 0.09216, 3000: 0.088474, 4000: 0.084935}),
    (
        lrs.exponential(0.1, 0.5, 1000, staircase=True),
        {0: 0.1, 500: 0.1, 999: 0.1, 1000: 0.05, 1500: 0.05, 1999: 0.05, 2000: 0.025, 2500: 0.025, 3000: 0.0125},
    ),
    (
        lrs.exponential(0.01, 0.95, 1000, transition_begin=2000),
        {0: 0.01, 1000: 0.01, 1999: 0.01, 2000: 0.01, 3000: 0.0095, 4000: 0.009025},
    ),
    (
        lrs.exponential(0.1, 0.9, 500, 0.001),
        {500 * k: max(0.1 * 0.9**k, 0.001) for k in range(60)} | {10**6: 0.001},
    ),
    (lrs.exponential(0.1, 2.0, 10, 0.5), {0: 0.1, 10: 0.2, 20: 0.4, 23: 0.49246, 24: 0.5, 10**6: 0.5}),
    (
        lrs.exponential(1e-4, 0.99, 100, transition_begin=500),
        {0: 1e-4, 500: 1e-4, 600: 9.9e-5, 10_000: 1e-4 * 0.99**95},
    ),
    (lrs.exponential(0.1, 0.95, 1), {k: 0.1 * 0.95**k for k in range(0, 200, 7)}),
    (lrs.exponential(0.1, 0.5, 1000, staircase=True, transition_begin=41), {1040: 0.1, 1041: 0.05, 2041: 0.025}),
    (lrs.exponential(1e-3, 0.9, 1000, 1e-5), {0: 1e-3, 1000: 9e-4, 10**6: 1e-5}),
]


@BOTH
@pytest.mark.parametrize(("schedule", "known"), TABLE)
def test_the_exponential_decay_has_its_known_values(schedule, known, wide):
    with jax.enable_x64(wide):
        run = jax.jit(lambda s, t: s(t))
        for t, lr in known.items():
            np.testing.assert_allclose(schedule(t), lr, rtol=6e-6)
            np.testing.assert_allclose(run(schedule, t), lr, rtol=6e-6)


@BOTH
def test_the_bound_is_never_passed(wide):
    with jax.enable_x64(wide):
        ts = jnp.arange(0, 40_000, 37)
        down = jax.jit(jax.vmap(lrs.exponential(0.1, 0.9, 500, 0.001)))(ts)
        up = jax.jit(jax.vmap(lrs.exponential(0.001, 1.1, 500, 0.1)))(ts)
        assert np.min(down) == jnp.asarray(0.001) and np.max(up) == jnp.asarray(0.1, float)
        assert np.all(np.diff(down) <= 0) and np.all(np.diff(up) >= 0)


def test_the_schedules_of_the_first_page():
    by_epoch = lrs(lambda epoch, losses: 1e-4 * (0.9 ** (epoch / 500)))
    np.testing.assert_allclose(by_epoch(1000, [1.0]), 0.81e-4, rtol=1e-6)
    drop = lrs(lambda epoch, losses: 1e-3 if losses[0] > 1e-2 else 1e-5)
    np.testing.assert_allclose([drop(0, [0.5]), drop(0, [0.01])], [1e-3, 1e-5], rtol=1e-6)
    for schedule, values in [
        (lrs.constant(1e-3), {0: 1e-3, 9999: 1e-3}),
        (lrs(1e-3), {0: 1e-3, 9999: 1e-3}),
        (lrs.exponential(lr0=1e-3, decay_rate=0.9, decay_steps=1000, lr_end=1e-5), {0: 1e-3, 2000: 8.1e-4}),
        (lrs.exponential(1e-3, 0.9, 2000, 1e-5), {2000: 9e-4}),
        (lrs.cosine(total_steps=5000, lr0=1e-3, lr_end=1e-6), {0: 1e-3, 2500: 5.005e-4, 5000: 1e-6, 6000: 1e-6}),
        (
            lrs.warmup_cosine(total_steps=5000, warmup_steps=500, lr0=1e-3, lr_end=1e-6),
            {0: 0.0, 250: 5e-4, 500: 1e-3, 2750: 5.005e-4, 5000: 1e-6},
        ),
        (
            lrs.piecewise_constant(boundaries=[1000, 3000], values=[1e-3, 5e-4, 1e-4], min_lr=2e-4),
            {0: 1e-3, 999: 1e-3, 1000: 5e-4, 2999: 5e-4, 3000: 2e-4},
        ),
    ]:
        np.testing.assert_allclose([schedule(t) for t in values], list(values.values()), rtol=1e-5)
    assert dlrs(lr0=1e-3, window=10).reads_losses


def original(name):
    """The functional face as the specification has it, line by line."""

    def constant(lr):
        value = jnp.asarray(lr)
        return lambda step: value

    def steps(base_lr, step_size, gamma=0.1):
        return lambda step: jnp.asarray(base_lr) * jnp.power(jnp.asarray(gamma), jnp.floor_divide(step, step_size))

    return {"constant": constant, "steps": steps}[name]


@BOTH
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (constant_lr(0.1), lambda: original("constant")(0.1)),
        (lambda_lr(lambda step: jnp.exp(-0.001 * step)), lambda: lambda step: jnp.exp(-0.001 * step)),
        (step_lr(base_lr=0.1, step_size=1000, gamma=0.5), lambda: original("steps")(0.1, 1000, 0.5)),
        (step_lr(0.1, 41), lambda: original("steps")(0.1, 41)),
    ],
)
def test_the_functional_face_has_the_values_of_the_original(ours, theirs, wide):
    ts = [0, 1, 40, 41, 42, 999, 1000, 1001, 5000]
    with jax.enable_x64(wide):
        expected = [float(theirs()(jnp.asarray(t))) for t in ts]
        close = {"rtol": 1e-12 if wide else 1e-5, "atol": 1e-30}
        np.testing.assert_allclose([ours(t) for t in ts], expected, **close)
        np.testing.assert_allclose([jax.jit(ours)(jnp.asarray(t)) for t in ts], expected, **close)
        rate, state = as_schedule(ours)
        scanned = lax.scan(lambda state, t: rate(t, state)[::-1], state, jnp.asarray(ts))[1]
        np.testing.assert_allclose(scanned, expected, **close)


def test_a_step_size_that_is_not_positive_is_an_error():
    for size in (0, -1):
        with pytest.raises(ValueError, match="step_size"):
            step_lr(0.1, size)


def adaptive_schedule(step, state):
    lr = state["lr"]
    new_lr = lr * jnp.where(step % 100 == 0, 0.5, 1.0)
    return lr, {"lr": new_lr}


@BOTH
@pytest.mark.parametrize("under", [lambda f: f, jax.jit])
def test_the_stateful_schedule_of_the_specification(under, wide):
    with jax.enable_x64(wide):
        rate, state = as_schedule(adaptive_schedule, {"lr": 0.8})
        rate = under(rate)
        expected = [0.8] + [0.4] * 100 + [0.2] * 100 + [0.1] * 3
        _, rates = lax.scan(lambda state, t: rate(t, state)[::-1], state, jnp.arange(204))
        np.testing.assert_allclose(rates, expected, rtol=1e-6)
        lr, state = rate(100, {"lr": jnp.asarray(0.8)})
        np.testing.assert_allclose([lr, state["lr"]], [0.8, 0.4], rtol=1e-6)


def test_a_stateless_schedule_passes_its_state_through():
    for lr in (0.5, jnp.asarray(0.5), lambda step: 0.5 + 0 * step, step_lr(0.5, 10)):
        rate, state = as_schedule(lr)
        assert state is None and rate(3, state)[1] is None
        kept = {"anything": jnp.ones(2)}
        value, after = jax.jit(rate)(3, kept)
        assert value == 0.5 and np.array_equal(after["anything"], kept["anything"])


def test_minibatch_steps_and_not_epochs():
    """In somebody's own loop: the schedule is asked with the count of updates."""
    rate, state = as_schedule(step_lr(base_lr=0.1, step_size=1000, gamma=0.5))

    @jax.jit
    def train(w, state):
        def one(carry, t):
            w, state = carry
            lr, state = rate(t, state)
            return (w - lr, state), lr

        return lax.scan(one, (w, state), jnp.arange(2001))

    (w, _), rates = train(0.0, state)
    np.testing.assert_allclose([rates[0], rates[999], rates[1000], rates[2000]], [0.1, 0.1, 0.05, 0.025], rtol=1e-6)
    np.testing.assert_allclose(w, -(100 + 50 + 0.025), rtol=1e-4)
