"""`watch=`: which losses and trackers a rate looks at."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs
from pinnace.schedule import LossValues, dlrs


def values(entries=(2.0, 3.0), raw=None, trackers=None):
    raw = {"pde": 0.5, "bc": 0.25, "ic": 0.125} if raw is None else raw
    array = lambda found: {name: jnp.asarray(value, float) for name, value in found.items()}  # noqa: E731
    return LossValues(jnp.asarray(entries), array(raw), jnp.sum(jnp.asarray(entries)), array(trackers or {}))


@pytest.mark.parametrize(
    ("watch", "read", "value"),
    [
        ("bc", lambda epoch, losses: losses[0], 0.25),
        ("bc", lambda epoch, losses: losses["bc"] + len(losses), 1.25),
        ("bc", lambda epoch, losses: losses.total, 0.25),
        (["ic", "pde"], lambda epoch, losses: losses[0] + 2 * losses[-1], 1.125),
        (["ic", "pde"], lambda epoch, losses: losses["pde"] + losses.total + jnp.sum(losses), 1.75),
        (("ic", "pde"), lambda epoch, losses: 1.0 if "bc" in losses or "e" in losses else max(losses), 0.5),
        (["e", "pde"], lambda epoch, losses: losses[0] - losses["pde"], 6.5),
        (["total", "e"], lambda epoch, losses: losses["total"] + losses[0], 12.0),
    ],
)
def test_only_what_is_watched_is_there(watch, read, value):
    schedule = lrs(read, watch=watch)
    assert schedule.reads_losses and not schedule.has_state
    assert schedule(0, values(trackers={"e": 7.0})) == (value if "total" not in watch else 2 * 5.0 + 0 * value)


def test_without_watching_trackers_come_after_losses():
    seen = values(trackers={"pde": 9.0, "e": 7.0})
    for read, value in [
        (lambda epoch, losses: losses["pde"], 0.5),
        (lambda epoch, losses: losses["e"] + losses[0], 9.0),
        (lambda epoch, losses: losses["total"], 5.0),
        (lambda epoch, losses: 1.0 if "e" in losses and "total" in losses and "x" not in losses else 0.0, 1.0),
        (lambda epoch, losses: losses.trackers["pde"], 9.0),
        (lambda epoch, losses: float(len(losses)), 2.0),
    ]:
        assert lrs(read)(0, seen) == value
    assert LossValues(jnp.ones(1), {}, jnp.ones(())).trackers == {}


def test_a_rate_that_calls_another_hands_trackers_on():
    inner = lrs(lambda epoch, losses: losses["e"], watch="e")
    assert lrs(lambda epoch, losses: 2 * inner(epoch, losses))(0, values(trackers={"e": 7.0})) == 14.0


def test_losses_by_name_outside_a_solver():
    assert lrs(lambda epoch, losses: losses[0], watch="bc")(0, {"pde": 1.0, "bc": 2.0}) == 2.0


def test_of_each_the_last_finite_value():
    schedule = lrs(lambda epoch, losses: losses["e"] * 10 + losses["pde"], watch=["e", "pde"])

    def one(state, now):
        t, e, pde = now
        lr, state = schedule.update(t, values(raw={"pde": pde}, trackers={"e": e}), state)
        return state, lr

    e = jnp.array([jnp.nan, 1.0, jnp.nan, jnp.nan, jnp.inf, 3.0, jnp.nan])
    pde = jnp.array([1.0, 2.0, 3.0, jnp.nan, 5.0, 6.0, 7.0])
    rates = lax.scan(one, schedule.init(), (jnp.arange(7), e, pde))[1]
    np.testing.assert_array_equal(rates, [jnp.nan, 12, 13, 13, 15, 36, 37])


def test_with_a_state_of_its_own():
    def lowest(epoch, losses, state):
        state = jnp.minimum(state, losses[0])
        return state, state

    schedule = lrs(lowest, state=np.inf, watch="e")
    assert schedule.has_state
    state, found = schedule.init(), []
    for e in [3.0, np.nan, 2.0, 5.0, np.nan]:
        lr, state = schedule.update(0, values(trackers={"e": e}), state)
        found.append(float(lr))
    assert found == [3, 3, 2, 2, 2]
    shapes = jax.eval_shape(lambda s: schedule.update(0, values(trackers={"e": 1.0}), s)[1], schedule.init())
    assert jax.tree.map(lambda x: (x.shape, x.dtype), shapes) == jax.tree.map(
        lambda x: (x.shape, x.dtype), schedule.init()
    )


def test_dlrs_of_a_loss_and_of_a_tracker(x64):
    totals = np.random.default_rng(0).random(40)
    watching, plain = dlrs(window=4, watch="e"), dlrs(window=4)
    state, other = watching.init(), plain.init()
    for t, total in enumerate(totals):
        lr, state = watching.update(t, values(trackers={"e": total}), state)
        expected, other = plain.update(t, [total], other)
        np.testing.assert_allclose(lr, expected, rtol=1e-13)
        between, state = watching.update(t, values(trackers={"e": np.nan}), state)
        assert between == lr
    with pytest.raises(ScheduleError, match="dlrs got watch"):
        dlrs(watch=["e"])


@pytest.mark.parametrize(
    "schedule",
    [
        lrs(lambda epoch, losses: losses[0], watch=["bc", "pd"]),
        lrs(lambda epoch, losses: losses["pd"]),
        lrs.plateau(1.0, watch="pd"),
        lrs.join([1.0, lrs.warmup(dlrs(watch="pd"), 3)], [5]),
    ],
)
def test_a_name_that_nothing_has(schedule):
    with pytest.raises(ScheduleError, match=r'"pd".*there are "\w+", "\w+", "\w+", "e"\. Did you mean "pde"\?'):
        schedule.update(0, values(trackers={"e": 1.0}), schedule.init())
    with pytest.raises(ScheduleError, match="no loss has a name here"):
        lrs(lambda epoch, losses: losses["e"])(0, [1.0])


def test_what_is_not_watched_is_not_there():
    with pytest.raises(ScheduleError, match=r'losses\["bc"\].*there are "pde"'):
        lrs(lambda epoch, losses: losses["bc"], watch="pde")(0, values())
    with pytest.raises(ScheduleError, match=r"losses\[1\]: there is 1 entry"):
        lrs(lambda epoch, losses: losses[1], watch="pde")(0, values())


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: lrs(1e-3, watch="pde"), "this rate is none"),
        (lambda: lrs(lambda epoch: 1e-3, watch="pde"), "this rate is none"),
        (lambda: lrs(lambda epoch, state: (1.0, state), state=0.0, watch="pde"), "this rate is none"),
        (lambda: lrs(dlrs(), watch="pde"), "a watch of their own"),
        (lambda: lrs(lambda epoch, losses: 1.0, watch=[]), "at least one"),
        (lambda: lrs(lambda epoch, losses: 1.0, watch=["pde", "pde"]), "different names"),
        (lambda: lrs(lambda epoch, losses: 1.0, watch=["pde", 1]), "the name of a loss or tracker"),
        (lambda: lrs(lambda epoch, losses: 1.0, watch=0), "a list of names"),
    ],
)
def test_wrong_watches(build, told):
    with pytest.raises(ScheduleError, match=told):
        build()
