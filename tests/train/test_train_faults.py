"""Faults: what is not finite is named, what fails beside the steps does no harm, and nothing is lost."""

import os
import resource
import signal
import threading
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace.train import faults, pace


def decay(tx=None, **settings):
    x = pn.domain.interval(0, 1).variable("interior", 16)
    net = pn.nn(eqx.nn.MLP(1, "scalar", 6, 1, jnp.tanh, key=jax.random.key(0)))
    net.optimizer(tx or optax.adam(1e-2))
    u = net(x)
    return net, u, (u.d(x) + u).mse.named("ode"), ((u.at({x: 0.0}) - 1) ** 2).named("start")


def finite(crux):
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves((crux.state.params, crux.state.cells)))


class Clock(eqx.Module):
    """A module whose output is not finite once its number has grown."""

    value: jax.Array

    def __call__(self):
        return self.value


def after(step):
    """A loss that is NaN from a step on: p counts steps by gradient descent on -p."""
    p = pn.parameter(0.0, name="p").optimizer(optax.sgd(1.0))
    return p, [-p, (0 * pn.np.sqrt(step - 0.5 - p)).named("late")]


@pytest.mark.parametrize("seconds", [1e-9, 10.0])
def test_a_nan_in_one_loss_at_step_37_is_named_whatever_the_chunks(monkeypatch, x64, seconds):
    monkeypatch.setattr(pace, "CHUNK_SECONDS", seconds)
    p, entries = after(37)
    crux = pn.core(entries)
    run = crux.solve(100)
    assert run.outcome is pn.Outcome.NONFINITE and 'at step 37 the loss "late" was nan' in run.message
    assert float(p.value) == 36.0 and crux.steps == 36
    assert run.steps == 38 and np.isnan(run.history["late"][-1]) and np.all(np.isfinite(run.history["late"][:-1]))


def test_a_nan_in_the_data_is_named_with_step_0_and_the_first_state_stays():
    net, u, ode, _start = decay()
    x = u.args[0]
    seen = np.linspace(0, 1, 16)
    seen[3] = np.nan
    misfit = (u - pn.np.where(x < 2, seen[3], 0.0)).mse.named("data")
    before = jax.tree.leaves(net.module)
    crux = pn.core([ode, misfit])
    run = crux.solve(50)
    assert 'at step 0 the loss "data" was nan' in run.message and run.steps == 1 and crux.steps == 0
    for old, new in zip(before, jax.tree.leaves(net.module), strict=True):
        assert not eqx.is_array(old) or bool(jnp.all(old == new))


class Broken:
    """A balancer whose weights, or whose memory alone, are NaN from a call on."""

    def __init__(self, at, part):
        self.at, self.part = at, part

    def init(self, m):
        return {"calls": jnp.zeros((), int), "memory": jnp.ones(m)}

    def update(self, losses, state):
        bad = jnp.where(state["calls"] >= self.at, jnp.nan, 1.0)
        weights = jnp.ones(len(losses)) * (bad if self.part == "weights" else 1.0)
        memory = state["memory"] * (bad if self.part == "state" else 1.0)
        return weights, {"calls": state["calls"] + 1, "memory": memory}


@pytest.mark.parametrize("part", ["weights", "state"])
def test_a_nan_in_a_balancer_of_ones_own_is_named_and_poisons_nothing(part):
    net, _, ode, start = decay()
    w_ode, w_start = pn.weigh([ode, start], Broken(11, part))
    crux = pn.core([w_ode * ode, w_start * start])
    run = crux.solve(50)
    assert run.outcome is pn.Outcome.NONFINITE
    assert f"at step 11 the {part} of broken" in run.message and "though all losses were" in run.message
    assert crux.steps == 10 and finite(crux)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(net.module) if eqx.is_array(leaf))


def test_a_rate_that_is_not_finite_is_named():
    net, _, ode, start = decay(optax.adam(1))
    net.scale(lambda epoch, losses: 1e-3 / jnp.where(epoch < 5, 1.0, 0.0))
    crux = pn.core([ode + start])
    run = crux.solve(20)
    assert 'at step 5 "lr(u)" was inf' in run.message and finite(crux) and crux.steps == 4


def test_parameters_that_become_infinite_behind_finite_losses_are_found(x64):
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(1.0))
    q = pn.parameter(1.0, name="q").optimizer(
        optax.chain(optax.scale_by_schedule(lambda n: jnp.where(n == 23, jnp.inf, 1e-3)))
    )
    crux = pn.core([p**2 * 1e-3, pn.np.tanh(q + 10.0)])
    run = crux.solve(400)
    assert 'at step 23 the update of "q" was not finite' in run.message and "optimizer" in run.message
    assert crux.steps == 23 and np.isfinite(float(q.value)) and run.steps == 24


@pytest.mark.parametrize("seconds", [1e-9, 10.0])
def test_rollback_goes_back_with_half_the_rate_until_it_works(monkeypatch, x64, seconds):
    monkeypatch.setattr(pace, "CHUNK_SECONDS", seconds)
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(1.0)).scale(5.2)
    crux = pn.core([p**4 / 4, 0 * pn.np.log(2.0 - p**2).named("wall")])
    with pytest.warns(pn.PinnaceWarning, match="went back to step 0 with half the rate, [12] of 8"):
        run = crux.solve(300, on_nonfinite="rollback")
    assert run.outcome is pn.Outcome.DONE and run.notes and 'the loss "wall" was nan' in run.notes[0]
    assert run.steps == 300 and np.all(np.isfinite(run.history["wall"]))
    assert len(run.notes) == 2 and float(crux.state.damping) == 0.25
    assert run.history["lr(p)"][0] == run.history["lr(p)"][-1] == 5.2 / 4
    p.scale(0.1)
    assert crux.solve(1).history["lr(p)"][0] == 0.1  # another rate is taken at its word
    np.testing.assert_array_equal(run.history.steps("total"), np.arange(300))


def test_rollback_ends_after_so_many_times_and_says_so(x64):
    _, entries = after(250)
    crux = pn.core(entries)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pn.PinnaceWarning)
        run = crux.solve(100_000, on_nonfinite="rollback")
    assert run.outcome is pn.Outcome.NONFINITE and len(run.notes) == faults.TRIES
    assert next(note.split("step ")[2].split()[0] for note in run.notes) == "150"
    assert finite(crux)


def test_raise_raises_and_keeps_the_last_finite_state(x64):
    p, entries = after(5)
    crux = pn.core(entries)
    with pytest.raises(pn.PinnaceError, match='step 5 the loss "late"'):
        crux.solve(10, on_nonfinite="raise")
    assert float(p.value) == 4.0
    with pytest.raises(pn.PinnaceError, match="rollback"):
        crux.solve(10, on_nonfinite="ignore")


def test_callbacks_and_sinks_that_raise_are_told_of_once_and_training_goes_on(monkeypatch):
    monkeypatch.setattr(pace, "CHUNK_SECONDS", 1e-9)
    _, _, ode, start = decay()
    rows, calls = [], []

    def sink(step, values):
        if step in (3, 4):
            raise OSError("disk on fire")
        rows.append(step)

    def callback(run):
        calls.append(run.steps)
        raise KeyError("no such thing")

    with pytest.warns(pn.PinnaceWarning) as told:
        run = pn.core([ode + start]).solve(12, sinks=sink, callbacks=callback)
    assert run.outcome is pn.Outcome.DONE and run.steps == 12
    assert rows == [0, 1, 2, *range(5, 12)] and len(calls) > 1
    assert len(told) == 2 == len(run.notes)
    sentences = " ".join(run.notes)
    assert "sink sink failed at step 3: OSError: disk on fire" in sentences
    assert "callback callback failed" in sentences and "KeyError" in sentences


def test_ctrl_c_once_ends_after_the_chunk_and_returns_the_run():
    _, _, ode, start = decay()
    crux = pn.core([ode + start])
    crux.solve(5)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    run = crux.solve(10_000_000)
    timer.join()
    assert run.outcome is pn.Outcome.INTERRUPTED and 0 < run.steps < 10_000_000
    assert crux.steps == 5 + run.steps == len(crux.history["total"])


def test_ctrl_c_twice_ends_now_with_the_state_of_the_last_chunk(tmp_path):
    net, _, ode, start = decay()
    crux = pn.core([ode + start])
    chunks = []

    def impatient(run):
        chunks.append(run.steps)
        if len(chunks) == 3:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        crux.solve(10_000_000, callbacks=impatient, checkpoint=tmp_path / "run.npz")
    assert crux.steps == chunks[-1] == len(crux.history["total"])
    assert pn.load(tmp_path / "run.npz").header["steps"] == crux.steps
    trained = jax.tree.leaves(eqx.filter(net.module, eqx.is_array))
    for ours, theirs in zip(trained, jax.tree.leaves(crux.state.params[0]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert crux.solve(3).outcome is pn.Outcome.DONE


@pytest.mark.parametrize("every", [4, None])
def test_a_full_disk_is_told_of_once_and_the_checkpoint_before_loads(tmp_path, every, monkeypatch):
    _, _, ode, start = decay()
    crux, path = pn.core([ode + start]), tmp_path / "run.npz"
    crux.solve(8, checkpoint=path, checkpoint_every=every)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        with pytest.warns(pn.PinnaceWarning, match=r"run\.npz could not be written") as told:
            run = crux.solve(24, checkpoint=path, checkpoint_every=every)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(told) == 1 and run.outcome is pn.Outcome.DONE and crux.steps == 32
    assert pn.load(path).header["steps"] == 8 and [file.name for file in tmp_path.iterdir()] == ["run.npz"]
    crux.solve(1, checkpoint=path)
    assert pn.load(path).header["steps"] == 33
