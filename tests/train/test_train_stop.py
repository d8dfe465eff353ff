"""When a run ends early, and which state is the best: by values that mean the same at every step."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace.train import pace

SIZES = [1e-9, 10.0]
"""Seconds of a chunk: many short ones, and one long one."""


def bouncing():
    """A number that goes from 0 upwards in steps of 1, and an error that is smallest in the middle."""
    p = pn.parameter(0.0, name="p").optimizer(optax.sgd(1.0))
    error = pn.np.abs(p - 20.25)
    return p, [-p, error.tracker("error"), (error**2).tracker("rare", every=7)]


@pytest.mark.parametrize("seconds", SIZES)
def test_below_ends_at_the_row_that_is_below_with_its_state(monkeypatch, x64, seconds):
    monkeypatch.setattr(pace, "CHUNK_SECONDS", seconds)
    p, entries = bouncing()
    crux = pn.core(entries)
    run = crux.solve(100, stop=pn.stop.below("error", 5.0))
    assert run.outcome is pn.Outcome.BELOW and 'at step 16 "error" was 4.25, below 5' in run.message
    assert crux.steps == 16 and float(p.value) == 16.0 and run.history["error"][-1] == 4.25
    again = crux.solve(3)
    np.testing.assert_array_equal(again.history.steps("error"), [16, 17, 18])
    np.testing.assert_array_equal(crux.history.steps("error"), np.arange(19))


@pytest.mark.parametrize("seconds", SIZES)
def test_patience_counts_from_the_last_improvement(monkeypatch, x64, seconds):
    monkeypatch.setattr(pace, "CHUNK_SECONDS", seconds)
    p, entries = bouncing()
    run = pn.core(entries).solve(100, stop=[pn.stop.patience("error", 6), pn.stop.below("error", -1)])
    assert run.outcome is pn.Outcome.PATIENCE and float(p.value) == 26.0
    assert '"error" has not improved on 0.25 since step 20' in run.message
    p, entries = bouncing()
    run = pn.core(entries).solve(100, stop=pn.stop.patience("rare", 6))
    assert float(p.value) == 28.0 and run.history.steps("rare")[-1] == 28


def test_improvement_is_relative_and_works_for_negative_values(x64):
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(0.01))
    run = pn.core([p.named("energy")]).solve(1000, stop=pn.stop.patience("energy", 3, rtol=0.01))
    assert run.outcome is pn.Outcome.PATIENCE
    best, since = np.inf, 0
    for step, value in enumerate(run.history["energy"]):
        if value < best - 0.01 * abs(best) or best == np.inf:
            best, since = value, step
        assert (step - since >= 3) == (step == run.steps - 1)


def test_patience_goes_on_counting_after_a_checkpoint(tmp_path, x64):
    p, entries = bouncing()
    crux = pn.core(entries)
    rule, path = pn.stop.patience("error", 30), tmp_path / "run.npz"
    calls = itertools.count()

    def halfway(run):
        if next(calls) == 40:
            crux.save(path)

    crux.solve(100, stop=rule, callbacks=halfway, checkpoint=tmp_path / "other.npz", checkpoint_every=1)
    assert float(p.value) == 50.0 and crux.steps == 50
    q, entries = bouncing()
    resumed = pn.core(entries).load(path)
    assert 20 < resumed.steps < 50
    resumed.solve(until=100, stop=rule)
    assert float(q.value) == 50.0
    resumed.solve(10, stop=rule)  # a new run has patience of its own
    assert float(q.value) == 60.0


@pytest.mark.parametrize("seconds", SIZES)
@pytest.mark.parametrize("steps", [100, 21, 20])
def test_the_best_state_is_that_of_the_best_row(monkeypatch, x64, seconds, steps):
    monkeypatch.setattr(pace, "CHUNK_SECONDS", seconds)
    p, entries = bouncing()
    crux = pn.core(entries)
    run = crux.solve(steps, best="error")
    at = int(np.argmin(run.history["error"]))
    assert run.best is crux.best and (run.best.step, run.best.value) == (at, run.history["error"][at])
    assert float(p.value) == steps  # it goes on from the last
    crux.restore(run.best)
    assert float(p.value) == at == crux.steps
    crux.solve(2)
    assert float(p.value) == at + 2


def test_the_best_of_several_runs_survives_files_and_other_optimizers(tmp_path, x64):
    p, entries = bouncing()
    crux = pn.core(entries)
    crux.solve(25, best="error")
    p.optimizer(optax.adam(0.5))
    run = crux.solve(10, best="error")
    assert (run.best.step, run.best.value) == (20, 0.25)
    crux.save(tmp_path / "a.npz")
    q, entries = bouncing()
    q.optimizer(optax.adam(0.5))
    other = pn.core(entries).load(tmp_path / "a.npz")
    assert (other.best.name, other.best.step, other.best.value) == ("error", 20, 0.25)
    other.restore(other.best)
    assert float(q.value) == 20.0
    crux.restore(crux.best)
    assert float(p.value) == 20.0
    crux.solve(1)
    assert float(p.value) == pytest.approx(20.5)


def test_a_value_with_weights_in_it_cannot_be_watched():
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(0.1))
    a, b = (p**2).named("a"), ((p - 1) ** 2).named("b")
    w_a, w_b = pn.fn.adaptive.relobralo([a, b])
    crux = pn.core([w_a * a, w_b * b, w_a.tracker(), (w_a * a).tracker("wa"), pn.np.stack([p, p]).tracker("two")])
    for name in ("total", "w(a)", "wa"):
        with pytest.raises(pn.PinnaceError, match=f'"{name.replace("(", "[(]").replace(")", "[)]")}" contains weights'):
            crux.solve(1, best=name)
        with pytest.raises(pn.PinnaceError, match="contains weights"):
            crux.solve(1, stop=pn.stop.below(name, 0.0))
    with pytest.raises(pn.PinnaceError, match="logs several"):
        crux.solve(1, best="two")
    with pytest.raises(pn.PinnaceError, match='Did you mean "a"'):
        crux.solve(1, stop=pn.stop.patience("aa", 3))
    with pytest.raises(pn.PinnaceError, match="rules such as"):
        crux.solve(1, stop=["a"])
    assert pn.core([a + b]).solve(3, best="total").best.step == 2
    with pytest.raises(pn.PinnaceError, match="restore takes"):
        crux.restore(None)


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        (pn.stop.below, ("a", "b")),
        (pn.stop.below, ("a", float("nan"))),
        (pn.stop.patience, ("a", 0)),
        (pn.stop.patience, ("a", 1.5)),
        (pn.stop.seconds, (-1,)),
        (pn.stop.seconds, (True,)),
    ],
)
def test_rules_with_wrong_numbers_are_told(rule, arguments):
    with pytest.raises(pn.PinnaceError, match=r"got|number"):
        rule(*arguments)


def test_a_time_limit_ends_after_a_chunk_and_the_run_goes_on_later():
    _p, entries = bouncing()
    crux = pn.core(entries)
    run = crux.solve(10_000_000, stop=pn.stop.seconds(0.5))
    assert run.outcome is pn.Outcome.TIME and 0 < run.steps < 10_000_000 and "0.5 seconds" in run.message
    assert crux.solve(5).outcome is pn.Outcome.DONE


def test_best_looks_at_finite_rows_only(x64):
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(0.3))
    crux = pn.core([p, 0 * pn.np.log(p).named("log"), pn.np.where(p > 0.5, jnp.nan, p).tracker("gap")])
    run = crux.solve(50, best="gap")
    assert run.outcome is pn.Outcome.NONFINITE and run.best.step == 3
    crux.restore(run.best)
    assert jax.tree.all(jax.tree.map(lambda leaf: bool(jnp.all(jnp.isfinite(leaf))), crux.state.params))
