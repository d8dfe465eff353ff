"""Rates that look at losses and trackers by name, inside the step."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import LearningRateSchedule as lrs


def problem():
    """One unknown number that falls towards 0, and an error that is looked at now and then."""
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(1.0))
    return p, (p**2).named("square"), (p - 1).named("line")


def test_a_rate_sees_trackers_of_this_step_and_nan_between(x64):
    p, square, line = problem()

    def seen(epoch, losses):
        return jnp.where(jnp.isnan(losses["error"]), 0.01, 0.1 * losses["error"]) + 0 * losses["double"]

    p.scale(lrs(seen))
    crux = pn.core([square, 0 * line, abs(p).tracker("error", every=3), (2 * p).tracker("double")])
    run = crux.solve(7)
    value, expected = 1.0, []
    for t in range(7):
        expected.append(0.1 * value if t % 3 == 0 else 0.01)
        value -= expected[-1] * 2 * value
    np.testing.assert_allclose(run.history["lr(p)"], expected, rtol=1e-12)


def test_a_watched_tracker_keeps_its_last_value(x64):
    p, square, line = problem()
    p.scale(lrs(lambda epoch, losses: 0.1 * losses["error"] + 0.01 * losses[1], watch=["error", "line"]))
    run = pn.core([square, 0.0 * line, abs(p).tracker("error", every=3)]).solve(7)
    value, last, expected = 1.0, 1.0, []
    for t in range(7):
        last = value if t % 3 == 0 else last
        expected.append(0.1 * last + 0.01 * (value - 1))
        value -= expected[-1] * 2 * value
    np.testing.assert_allclose(run.history["lr(p)"], expected, rtol=1e-12)


def test_cooling_on_a_tracker(x64):
    """The patience counts values of the tracker, and steps without one neither cut nor heal."""
    p, square, _ = problem()
    p.scale(lrs.plateau(1e-2, factor=0.5, patience=2, watch="error"))
    crux = pn.core([square, (1 + 0 * p).tracker("error", every=3)])
    rates = np.concatenate([crux.solve(4).history["lr(p)"], crux.solve(9).history["lr(p)"]])
    np.testing.assert_allclose(rates, [1e-2] * 6 + [5e-3] * 6 + [2.5e-3], rtol=1e-12)


@pytest.mark.filterwarnings("ignore:the loss .still. stays")
def test_a_plateau_looks_at_the_loss_of_its_name(x64):
    for watch, cuts in (("total", 0), ("square", 0), ("still", 3)):
        p, square, _ = problem()
        p.scale(lrs.plateau(1e-3, factor=0.5, patience=1, watch=watch))
        run = pn.core([square, 2 * (1 + 0 * p).named("still")]).solve(4)
        np.testing.assert_allclose(run.history["lr(p)"], 1e-3 * 0.5 ** np.minimum(np.arange(4), cuts), rtol=1e-12)


def test_arrays_are_no_values_to_watch():
    x = pn.domain.interval(0, 1).variable("interior", 4)
    p, square, _ = problem()
    p.scale(lrs.plateau(1e-3, watch="points"))
    with pytest.raises(pn.PinnaceError, match=r'watch="points".*there are "square", "count"'):
        pn.core([square, x.tracker("points"), (0 * p).tracker("count")]).solve(1)


@pytest.mark.parametrize(
    "schedule",
    [lrs(lambda epoch, losses: losses["eror"]), lrs.plateau(1e-3, watch="eror"), pn.fn.adaptive.dlrs(watch="eror")],
)
def test_an_unknown_name_is_told_with_the_nearest(schedule):
    p, square, _ = problem()
    p.scale(schedule)
    with pytest.raises(pn.PinnaceError, match=r'there are "square", "error"\. Did you mean "error"\?'):
        pn.core([square, abs(p).tracker("error", every=2)]).solve(1)


def test_states_of_rates_are_saved_and_resume(tmp_path, x64):
    def built():
        p, square, _ = problem()
        p.scale(
            lrs.join(
                [
                    lrs.warmup(lrs.plateau(1e-2, factor=0.5, patience=2, watch="error"), 3),
                    lrs(lambda epoch, losses: 1e-2 * losses["error"], watch="error"),
                ],
                [14],
            )
        )
        return pn.core([square, (p * 0 + 1).tracker("error", every=2)])

    whole = built()
    whole.solve(20)
    first = built()
    first.solve(9)
    first.save(tmp_path / "state")
    second = built()
    second.load(tmp_path / "state")
    second.solve(11)
    np.testing.assert_array_equal(second.history["lr(p)"], whole.history["lr(p)"])
    assert len(np.unique(whole.history["lr(p)"])) > 4
