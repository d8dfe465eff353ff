"""The rate that is cut where a loss no longer falls: against its definition and against optax."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from optax import contrib

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs
from pinnace.schedule import LossValues

N = 400
random = np.random.default_rng(5)
SEQUENCES = {
    "walk": np.exp(np.cumsum(0.1 * random.standard_normal(N))),
    "noise": 1 + 0.05 * random.standard_normal(N),
    "decrease": np.exp(-np.arange(N) / 50),
    "stairs": 2.0 ** -(np.arange(N) // 60),
    "huge": np.exp(np.cumsum(10 * random.standard_normal(N))),
    "equal": np.full(N, 0.5),
    "zeros": np.where(np.arange(N) > 50, 0.0, 1.0),
}
GAPS = np.where(random.random(N) < 0.5, np.nan, np.where(random.random(N) < 0.1, np.inf, SEQUENCES["walk"]))
NUMBERS = [
    {},
    {"factor": 0.5, "patience": 1},
    {"factor": 0.5, "patience": 7, "cooldown": 5},
    {"factor": 0.9, "patience": 3, "rtol": 0.0, "atol": 0.02},
    {"factor": 0.5, "patience": 3, "accumulation_size": 4},
    {"factor": 0.7, "patience": 2, "cooldown": 3, "accumulation_size": 3, "rtol": 0.05, "atol": 1e-3},
]


def reference(values, lr, factor=0.1, patience=10, rtol=1e-4, atol=0.0, cooldown=0, accumulation_size=1):
    best, bad, rest, kept, rates = math.inf, 0, 0, [], []
    for value in values:
        if math.isfinite(value):
            kept.append(value)
            if len(kept) == accumulation_size:
                value, kept = sum(kept) / accumulation_size, []
                better = best == math.inf or value < best - rtol * abs(best) - atol
                best = value if better else best
                if rest > 0:
                    rest, bad = rest - 1, 0
                else:
                    bad = 0 if better else bad + 1
                    if bad == patience:
                        lr, bad, rest = lr * factor, 0, cooldown
        rates.append(lr)
    return rates


def rates(schedule, values):
    def one(state, now):
        t, value = now
        lr, state = schedule.update(t, LossValues(value[None] * 3, {"pde": value}, value), state)
        return state, lr

    values = jnp.asarray(values)
    return jax.jit(lambda: lax.scan(one, schedule.init(), (jnp.arange(len(values)), values))[1])()


def optax_rates(values, lr, **numbers):
    tx = contrib.reduce_on_plateau(**{"factor": 0.1, "patience": 10} | numbers)

    def one(state, value):
        scale, state = tx.update(jnp.ones(()), state, value=value)
        return state, lr * scale

    return lax.scan(one, tx.init(jnp.ones(())), jnp.asarray(values))[1]


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("name", SEQUENCES)
def test_as_defined_and_as_optax(name, numbers, x64):
    got = rates(lrs.plateau(0.1, **numbers), SEQUENCES[name])
    np.testing.assert_allclose(got, reference(SEQUENCES[name], 0.1, **numbers), rtol=1e-12)
    np.testing.assert_allclose(got, optax_rates(SEQUENCES[name], 0.1, **numbers), rtol=1e-12)


def test_something_is_cut():
    assert reference(SEQUENCES["noise"], 0.1)[-1] < 1e-5 and reference(SEQUENCES["decrease"], 0.1)[-1] == 0.1


@pytest.mark.parametrize("numbers", NUMBERS)
def test_what_is_not_finite_neither_enters_nor_moves(numbers, x64):
    got = np.asarray(rates(lrs.plateau(0.1, **numbers), GAPS))
    np.testing.assert_allclose(got, reference(GAPS, 0.1, **numbers), rtol=1e-12)
    finite = np.isfinite(GAPS)
    np.testing.assert_array_equal(got[finite], rates(lrs.plateau(0.1, **numbers), GAPS[finite]))


def test_nothing_but_nan_leaves_the_first_rate():
    np.testing.assert_array_equal(rates(lrs.plateau(0.5, patience=1), np.full(5, np.nan)), np.full(5, 0.5))


@pytest.mark.parametrize("offset", [-1.0, -1e3])
def test_values_below_zero(offset, x64):
    """An energy that stands still is no improvement; optax takes it for one."""
    still = np.full(20, offset)
    got = rates(lrs.plateau(1.0, factor=0.5, patience=5), still)
    np.testing.assert_allclose(got, reference(still, 1.0, factor=0.5, patience=5))
    assert got[5] == 0.5 and got[4] == 1.0
    falling = offset * 1.1 ** np.arange(20)
    np.testing.assert_array_equal(rates(lrs.plateau(1.0, factor=0.5, patience=5), falling), np.ones(20))


def test_it_cuts_after_patience_bad_steps_in_that_step():
    assert rates(lrs.plateau(1.0, factor=0.5, patience=3), [1.0] * 8).tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert rates(lrs.plateau(1.0, 0.5, 2, cooldown=2), [1.0] * 8).tolist() == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_clamps_and_the_total_by_default():
    floor = rates(lrs.plateau(1.0, 0.5, 1, min_lr=0.2), [1.0] * 6)
    np.testing.assert_allclose(floor, [1, 0.5, 0.25, 0.2, 0.2, 0.2])
    schedule = lrs.plateau(1.0, 0.5, 1)
    _, state = schedule.update(0, [1.0, 2.0], schedule.init())
    assert schedule.update(1, [2.0, 1.0], state)[0] == 0.5
    assert schedule.update(1, [0.5, 2.0], state)[0] == 1.0


def test_a_raw_loss_or_a_tracker():
    schedule = lrs.plateau(1.0, 0.5, 1, watch="pde")
    values = LossValues(
        jnp.ones(1), {"pde": jnp.array(3.0)}, jnp.array(1.0), {"pde": jnp.array(0.0), "e": jnp.array(2.0)}
    )
    _, state = schedule.update(0, values, schedule.init())
    assert state.best == 3.0
    assert lrs.plateau(1.0, watch="e").update(0, values, lrs.plateau(1.0).init())[1].best == 2.0
    assert lrs.plateau(1.0).update(0, values, schedule.init())[1].best == 1.0


def test_the_state_is_a_carry_and_vmaps():
    schedule = lrs.plateau(1e-3)
    before = schedule.init()
    _, after = jax.eval_shape(schedule.update, 0, [1.0], before)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), before) == jax.tree.map(lambda x: (x.shape, x.dtype), after)
    assert not any(leaf.weak_type for leaf in jax.tree.leaves(before))
    many = jax.vmap(lambda lr: rates(lrs.plateau(lr, 0.5, 3), [1.0] * 8))(jnp.array([1.0, 2.0]))
    np.testing.assert_array_equal(many[1], 2 * many[0])


def test_asked_without_state_or_losses():
    with pytest.raises(ScheduleError, match=r"schedule.init\(\)"):
        lrs.plateau(1e-3)(0, [1.0])
    with pytest.raises(ScheduleError, match="reads the losses"):
        lrs.plateau(1e-3).update(0, None, lrs.plateau(1e-3).init())


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({"factor": 1.0}, "factor = 1.0, but factor must be a finite number above 0 and below 1"),
        ({"factor": 0}, "factor"),
        ({"patience": 0}, "patience"),
        ({"patience": 2.5}, "patience"),
        ({"rtol": -1e-4}, "rtol"),
        ({"rtol": 1.5}, "at most 1"),
        ({"atol": -1}, "atol"),
        ({"cooldown": -1}, "cooldown"),
        ({"accumulation_size": 0}, "accumulation_size"),
        ({"watch": ["pde", "bc"]}, "watch must be the name of a loss or tracker"),
        ({"watch": None}, "watch"),
        ({"watch": ""}, "watch"),
        ({"lr0": "1"}, "lrs.plateau got lr0"),
    ],
)
def test_wrong_numbers(numbers, told):
    with pytest.raises(ScheduleError, match=told):
        lrs.plateau(**{"lr0": 1e-3} | numbers)
