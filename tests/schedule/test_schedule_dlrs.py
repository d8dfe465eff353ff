"""The dynamic learning rate scheduler against its definition, step by step."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs
from pinnace.schedule import LossValues, dlrs

N = 2000
random = np.random.default_rng(0)
DECREASE = np.exp(-np.arange(N) / 300)
NOISE = DECREASE * np.exp(0.3 * random.standard_normal(N))
SPIKE = np.where(np.arange(N) == 700, 1e6, DECREASE)
PLATEAU = np.where(np.arange(N) < 500, DECREASE, DECREASE[500])
ZEROS = np.where(np.arange(N) % 400 < 100, 0.0, NOISE)
NANS = np.where(random.random(N) < 0.1, np.nan, np.where(random.random(N) < 0.05, -np.inf, NOISE))
SIGNS = random.standard_normal(N)
TOTALS = {
    "decrease": DECREASE,
    "plateau": PLATEAU,
    "noise": NOISE,
    "spike": SPIKE,
    "zeros": ZEROS,
    "nans": NANS,
    "signs": SIGNS,
    "huge": NOISE * 1e306,
    "tiny": NOISE * 1e-290,
}


def reference(totals, lr=1e-3, window=10, decrease=1.0, increase=0.1, low=None, high=None):
    low, high = low or lr / 100, high or 10 * lr
    seen, rates = [], []
    for total in totals:
        if math.isfinite(total):
            seen.append(total)
            last = np.array(seen[-window:])
            scale = np.abs(last).max() or 1.0
            mean = np.mean(np.abs(last / scale))
            if len(last) == window and mean:
                change = (last[-1] / scale - last[0] / scale) / mean
                n = math.floor(math.log10(lr) + 1e-4)
                lr = lr - 10.0**n * (decrease if change > 0 else increase) * change / window
                lr = min(max(lr, low), high)
        rates.append(lr)
    return np.array(rates)


def rates(schedule, totals):
    """One scan over all totals, given as the step gives them."""

    def one(state, t_total):
        t, total = t_total
        lr, state = schedule.update(t, LossValues(jnp.stack([total, total]), {}, total), state)
        return state, lr

    return jax.jit(lambda totals: lax.scan(one, schedule.init(), (jnp.arange(len(totals)), totals))[1])(
        jnp.asarray(totals)
    )


@pytest.mark.parametrize("name", TOTALS)
@pytest.mark.parametrize(
    "numbers", [{}, {"lr0": 3e-2, "window": 2, "increase": 0.5}, {"window": 50, "decrease": 0.3, "lr0": 1.0}]
)
def test_against_the_definition(name, numbers, x64):
    expected = reference(TOTALS[name], **{"lr" if k == "lr0" else k: v for k, v in numbers.items()})
    np.testing.assert_allclose(rates(dlrs(**numbers), TOTALS[name]), expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["decrease", "noise", "nans", "zeros"])
def test_single_steps_agree_to_rounding(name, x64):
    expected = reference(TOTALS[name][:100])
    np.testing.assert_allclose(rates(dlrs(), TOTALS[name][:100]), expected, rtol=1e-12)


@pytest.mark.parametrize("name", TOTALS)
def test_finite_and_bounded_in_float32(name):
    with np.errstate(over="ignore"):
        totals = TOTALS[name].astype(np.float32)
    got = np.asarray(rates(dlrs(), totals))
    assert got.dtype == np.float32
    assert np.all((got >= np.float32(1e-5)) & (got <= np.float32(1e-2)))


def test_the_first_move_counts_at_once():
    got = rates(dlrs(window=5), [5.0, 4.0, 3.0, 2.0, 1.0, 1.0])
    np.testing.assert_allclose(got[:4], 1e-3)
    np.testing.assert_allclose(got[4], 1e-3 + 1e-3 * 0.1 * (4 / 3) / 5, rtol=1e-6)


def test_rising_lowers_and_falling_raises():
    rising = rates(dlrs(), np.linspace(1, 2, 30))
    falling = rates(dlrs(), np.linspace(2, 1, 30))
    assert np.all(np.diff(rising)[9:] < 0) and np.all(np.diff(falling)[9:] > 0)


def test_a_power_of_ten_but_for_rounding():
    """1e-3 in float32 is a little more or less than a power of ten, and counts as one."""
    for power in range(-6, 1):
        lr0 = 10.0**power
        moved = rates(dlrs(lr0=lr0, window=2), [1.0, 3.0])[1]
        np.testing.assert_allclose(moved, lr0 * (1 - 0.5), rtol=1e-5)


def test_a_spike_does_not_ruin_the_rate():
    assert np.min(rates(dlrs(), SPIKE)) > 10 * 1e-5


FLAT = 1 + 0.05 * np.random.default_rng(1).standard_normal(N)
TRIED = {
    "smooth decrease": DECREASE,
    "power law": (1.0 + np.arange(N)) ** -1.5,
    "plateau": np.full(N, 0.3),
    "decrease, then plateau": PLATEAU,
    "5 % noise": FLAT,
    "5 % noise on a decrease": FLAT * DECREASE,
    "spike": SPIKE,
    "spike in 5 % noise": np.where(np.arange(N) == 700, 1e6, FLAT),
    "zeros": np.zeros(N),
    "zeros in the middle": np.where((np.arange(N) > 500) & (np.arange(N) < 700), 0.0, DECREASE),
    "NaN": np.full(N, np.nan),
    "NaN in the middle": np.where((np.arange(N) > 500) & (np.arange(N) < 700), np.nan, FLAT * DECREASE),
    "single NaNs": np.where(np.arange(N) % 7 == 3, np.nan, FLAT * DECREASE),
}


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("name", TRIED)
def test_no_collapse_and_no_runaway_over_2000_steps(name, wide):
    with jax.enable_x64(wide):
        got = np.asarray(rates(dlrs(), TRIED[name].astype(jnp.result_type(float))))
    assert np.all((got > 1e-4) & (got < 3e-3))
    if wide:
        np.testing.assert_allclose(got, reference(TRIED[name]), rtol=1e-9)


def test_what_does_not_change_moves_nothing():
    for name in ("plateau", "zeros", "NaN"):
        np.testing.assert_array_equal(rates(dlrs(), TRIED[name]), np.full(N, np.float32(1e-3)))


def test_missing_values_are_as_if_they_had_not_been(x64):
    """Between them the rate stands."""
    totals = TRIED["single NaNs"]
    got, finite = np.asarray(rates(dlrs(), totals)), np.isfinite(totals)
    np.testing.assert_array_equal(got[finite], rates(dlrs(), totals[finite]))
    np.testing.assert_array_equal(got[~finite], got[np.flatnonzero(~finite) - 1])


def test_the_state_is_a_carry():
    schedule = dlrs(window=4)
    before = schedule.init()
    _, after = jax.eval_shape(schedule.update, 0, [1.0], before)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), before) == jax.tree.map(lambda x: (x.shape, x.dtype), after)
    assert not any(leaf.weak_type for leaf in jax.tree.leaves(before))


def test_other_numbers_compile_nothing():
    traces = []

    @jax.jit
    def run(schedule, state):
        traces.append(0)
        return schedule.update(0, [1.0, 2.0], state)

    for schedule in (dlrs(), dlrs(1, decrease=2, increase=0, min_lr=0.5, max_lr=2)):
        run(schedule, schedule.init())
    assert len(traces) == 1


def test_the_defaults_follow_the_first_rate():
    assert isinstance(dlrs(), lrs) and dlrs().has_state and dlrs().reads_losses
    rule = dlrs(lr0=0.5).rule
    assert (rule.lr0, rule.window, rule.decrease, rule.increase, rule.min_lr, rule.max_lr) == (
        0.5, 10, 1.0, 0.1, 0.005, 5.0
    )  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({"window": 1}, "window"),
        ({"window": 2.5}, "window"),
        ({"lr0": 0}, "lr0"),
        ({"lr0": -1e-3}, "lr0"),
        ({"min_lr": 0}, "min_lr"),
        ({"min_lr": 1e-2, "max_lr": 1e-3}, "cannot be above"),
        ({"min_lr": 1e-2}, "not between"),
        ({"max_lr": 1e-4}, "not between"),
        ({"decrease": -1}, "decrease"),
        ({"increase": math.nan}, "increase"),
    ],
)
def test_wrong_numbers(numbers, told):
    with pytest.raises(ScheduleError, match=told):
        dlrs(**numbers)


def test_asking_without_state_is_an_error():
    with pytest.raises(ScheduleError, match=r"schedule.init\(\)"):
        dlrs()(0, [1.0])
