"""Runs: chunks, history, stops, phases; nothing compiled twice."""

import os
import signal
import threading

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import LearningRateSchedule as lrs
from pinnace.train import pace


class Counted(eqx.Module):
    """A network that counts how often Python runs it."""

    inner: eqx.nn.MLP
    calls: list = eqx.field(static=True)

    def __call__(self, point):
        self.calls.append(1)
        return self.inner(point)


def counted(**settings):
    calls = []
    net = pn.nn(Counted(eqx.nn.MLP(1, "scalar", 6, 1, jnp.tanh, key=jax.random.key(0)), calls), **settings)
    return net, calls


def decay(net, n=16):
    x = pn.domain.interval(0, 1).variable("interior", n)
    u = net(x)
    return u, (u.d(x) + u).mse.named("ode"), ((u.at({x: 0.0}) - 1) ** 2).named("start")


def test_the_step_is_traced_once():
    net, calls = counted()
    net.optimizer(optax.adam(1)).scale(lrs.exponential(1e-2, 0.9, 100))
    _, ode, start = decay(net)
    w_ode, w_start = pn.fn.adaptive.relobralo([ode, start], alpha=0.9)
    crux = pn.core([w_ode * ode, w_start * start, w_ode.tracker()])
    before = len(calls)
    crux.solve(3)
    traced = len(calls) - before
    assert traced == 2  # the field at the points, and at 0: one propagation each
    crux.solve(40)
    crux.solve(until=100)
    net.scale(lrs.exponential(5e-3, 0.8, 50))
    crux.solve(5)
    assert len(calls) - before == traced
    v_ode, v_start = pn.fn.adaptive.relobralo([ode, start], alpha=0.5, tau=2.0, seed=1)
    pn.core([v_ode * ode, v_start * start, v_ode.tracker()]).solve(5)
    assert len(calls) - before == traced
    net.scale(1e-3)
    crux.solve(2)
    assert len(calls) - before == 2 * traced


def test_chunk_lengths_do_not_matter(monkeypatch):
    def trained(seconds):
        monkeypatch.setattr(pace, "CHUNK_SECONDS", seconds)
        net = pn.nn(eqx.nn.MLP(1, "scalar", 6, 1, jnp.tanh, key=jax.random.key(0))).optimizer(optax.adam(1e-2))
        _, ode, start = decay(net)
        w_ode, w_start = pn.fn.adaptive.rlw([ode, start])
        crux = pn.core([w_ode * ode, w_start * start])
        crux.solve(30)
        return crux.history["total"]

    np.testing.assert_array_equal(trained(1e-9), trained(10.0))


def test_history_has_a_row_for_every_step_of_every_run():
    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, key=jax.random.key(0))).optimizer(optax.adam(1)).scale(1e-3)
    u, ode, start = decay(net)
    crux = pn.core([ode, u.mse, start])
    first, second = crux.solve(5), crux.solve(until=12)
    assert list(first.history) == ["total", "ode", "loss0", "start", "lr(u)"]
    assert first.history["total"].shape == (5,) and second.history["total"].shape == (7,)
    np.testing.assert_array_equal(second.history.steps("total"), np.arange(5, 12))
    np.testing.assert_array_equal(crux.history.steps("ode"), np.arange(12))
    assert crux.steps == 12 and second.first == 5 and second.steps == 7
    assert crux.solve(0).steps == 0 and crux.solve(until=3).steps == 0
    with pytest.raises(pn.PinnaceError, match='Did you mean "ode"'):
        first.history["odee"]


def test_modules_get_the_trained_parameters_back_and_a_later_core_starts_there():
    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, key=jax.random.key(0))).optimizer(optax.adam(1e-2))
    u, ode, start = decay(net)
    crux = pn.core([ode + start])
    crux.solve(20)
    x = u.args[0]
    np.testing.assert_allclose(net.module(jnp.array([0.3])), crux.eval(u, {x: 0.3}), rtol=1e-6)
    np.testing.assert_allclose(pn.core([ode + start]).eval(u, {x: 0.3}), crux.eval(u, {x: 0.3}), rtol=1e-6)


def test_a_loss_that_is_not_finite_stops_the_run_and_is_named(x64):
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(0.3))
    crux = pn.core([p, 0 * pn.np.log(p).named("log")])
    run = crux.solve(50)
    assert run.outcome is pn.Outcome.NONFINITE
    assert 'step 4 the loss "log" was nan' in run.message
    assert run.steps == 5 and np.isnan(run.history["log"][-1])
    assert float(crux.eval(p)) == pytest.approx(0.1)
    assert float(p.value) == pytest.approx(0.1)
    assert crux.steps == 3
    p.optimizer(optax.sgd(0.01))
    again = crux.solve(2)
    assert again.outcome is pn.Outcome.DONE
    np.testing.assert_array_equal(crux.history.steps("total"), np.arange(5))
    assert np.all(np.isfinite(crux.history["log"]))


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_an_infinite_gradient_is_named_and_does_no_harm(x64, steps):
    p = pn.parameter(0.0, name="p").optimizer(optax.sgd(0.1))
    crux = pn.core([pn.np.sqrt(p)])
    run = crux.solve(steps)
    assert run.outcome is pn.Outcome.NONFINITE
    assert 'at step 0 the update of "p" was not finite' in run.message and 'gradient of "loss0"' in run.message
    assert float(crux.eval(p)) == 0.0
    with pytest.raises(pn.PinnaceError, match="loss0"):
        crux.solve(10, on_nonfinite="raise")


def test_ctrl_c_returns_the_run_so_far(monkeypatch):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start what runs in the background without
    monkeypatch.setattr(pace, "CHUNK_SECONDS", 0.01)
    net = pn.nn(eqx.nn.MLP(1, "scalar", 32, 2, key=jax.random.key(0))).optimizer(optax.adam(1e-3))
    u, ode, start = decay(net, 512)
    crux = pn.core([ode + start])
    crux.solve(1)
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    run = crux.solve(10_000_000)
    assert run.outcome is pn.Outcome.INTERRUPTED
    assert 0 < run.steps == crux.steps - 1
    np.testing.assert_allclose(net.module(jnp.array([0.3])), crux.eval(u, {u.args[0]: 0.3}), rtol=1e-5)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_callbacks_stop_and_sinks_see_every_row():
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(1e-3))
    rows = []
    crux = pn.core([p, p.tracker("rare", every=4)])
    run = crux.solve(30, callbacks=lambda run: run.steps >= 9, sinks=lambda step, row: rows.append((step, row)))
    assert run.outcome is pn.Outcome.STOPPED and run.steps == len(rows) < 30
    assert [step for step, _ in rows] == list(range(len(rows)))
    assert "rare" in rows[4][1] and "rare" not in rows[5][1]


def test_phases_change_the_optimizer():
    net = pn.nn(eqx.nn.MLP(1, "scalar", 8, 1, jnp.tanh, key=jax.random.key(0)))
    net.optimizer(optax.adam(1)).scale(1e-2)
    _, ode, start = decay(net)
    crux = pn.core([ode, start])
    adam = crux.solve(50)
    net.optimizer(optax.lbfgs()).scale(1.0)
    lbfgs = crux.solve(50)
    assert lbfgs.history["total"][-1] < 0.01 * adam.history["total"][-1]


@pytest.mark.parametrize("wrong", [{}, {"steps": 3, "until": 4}, {"steps": -1}, {"steps": 2.5}, {"steps": True}])
def test_solve_says_what_it_takes(wrong):
    crux = pn.core([pn.parameter(1.0).optimizer(optax.sgd(0.1))])
    with pytest.raises(pn.PinnaceError, match=r"solve\(1000\)"):
        crux.solve(**wrong)


def test_eval_takes_any_shape_of_points(x64):
    dom = pn.domain.interval(0, 1).time(0, 2)
    x, t = dom.variable("interior", 10)
    p = pn.parameter(2.0, name="p").optimizer(optax.sgd(0.1))
    crux = pn.core([(p * x + t).mse])
    grid = np.meshgrid(np.linspace(0, 1, 3), np.linspace(0, 2, 4))
    np.testing.assert_allclose(crux.eval(p * x + t, {x: grid[0], t: grid[1]}), 2 * grid[0] + grid[1])
    np.testing.assert_allclose(crux.eval(p * x * t, {x: [0.0, 1.0], t: 0.5}), [0, 1])
    assert crux.eval(x * t, {x: 1.0, t: 0.5}).shape == ()
    assert crux.eval((p * x + t).d(x), {x: 1.0, t: 0.5}) == 2
    assert crux.eval(x).shape == (10,)
    np.testing.assert_allclose(crux.eval(pn.np.stack([x, t]), {x: [0.0, 1.0], t: 0.5}), [[0, 0.5], [1, 0.5]])
    np.testing.assert_allclose(crux.eval((p * x + t).at({t: 1.0}), {x: [0.0, 1.0]}), [1, 3])
    np.testing.assert_allclose(crux.eval(x - (x + t).mean, {x: [0.0, 1.0], t: 0.5}), [-1, 0])
    with pytest.raises(pn.PinnaceError, match="depends on t too"):
        crux.eval(x * t, {x: [0.0]})
    with pytest.raises(pn.PinnaceError, match="not part of this problem"):
        crux.eval(pn.parameter(1.0) * x)
    with pytest.raises(pn.PinnaceError, match="do not broadcast"):
        crux.eval(x * t, {x: [0.0, 1.0], t: [0.0, 1.0, 2.0]})


def test_eval_at_points_that_no_loss_uses(x64):
    dom = pn.domain.disk((0, 0), 1)
    (x, y), (xb, yb) = dom.variable("interior", 10), dom.variable("boundary", 20)
    p = pn.parameter(2.0, name="p").optimizer(optax.sgd(0.1))
    u = p * dom.distance("boundary") * pn.np.exp(x)
    crux = pn.core([u.mse])
    edge = u.at({x: xb, y: yb})
    assert crux.eval(edge).shape == (20,)
    np.testing.assert_allclose(crux.eval(edge), 0, atol=1e-15)
    places = np.stack([crux.eval(xb), crux.eval(yb)])
    np.testing.assert_allclose(np.linalg.norm(places, axis=0), 1)
    np.testing.assert_array_equal(crux.eval(xb), places[0])
    np.testing.assert_allclose(crux.eval(pn.np.stack(pn.normal(xb, yb))), places.T, atol=1e-12)
    np.testing.assert_allclose(crux.eval((p * (xb + 2)).mse), np.mean(4 * (places[0] + 2) ** 2))
    a, seen = pn.domain.data(a=[1.0, 2.0], seen=[3.0, 5.0])
    np.testing.assert_allclose(crux.eval(p * a - seen), [-1, -1])
    shown = crux.eval(u, {x: [0.0, 0.1], y: 0.0})
    assert shown.shape == (2,)


def test_eval_differentiates_by_symbols_too(x64):
    t, s, r = pn.domain.time(0, 1).variable("interior", 8), pn.symbol("s"), pn.symbol("r")
    p = pn.parameter(2.0, name="p").optimizer(optax.sgd(0.1))
    u = p * pn.np.sin(s * t) * pn.np.exp(r)
    crux = pn.core([u.at({s: 2 * t, r: 0.0}).mse])
    given = {s: np.array([0.0, 0.5, 1.0]), t: np.array([[0.2], [0.4]]), r: 0.3}
    a, b, c = given.values()
    for expr, expected in (
        (u.d(s), 2 * b * np.cos(a * b) * np.exp(c)),
        (u.d(s, s, t), -4 * b * np.sin(a * b) * np.exp(c) - 2 * a * b**2 * np.cos(a * b) * np.exp(c)),
        (u.d(t, r) + u, 2 * (a * np.cos(a * b) + np.sin(a * b)) * np.exp(c)),
        ((s * t + 0 * r).d(s), b + 0 * a),
    ):
        np.testing.assert_allclose(crux.eval(expr, given), expected, rtol=1e-12)
    np.testing.assert_allclose(crux.eval((s**2).d(s), {s: [1.0, 2.0]}), [2, 4])
    np.testing.assert_allclose(crux.eval((t * s.d(s) * s).d(s), {s: [1.0, 2.0], t: 0.5}), [0.5, 0.5])


def test_weights_and_names_of_dicts_and_unnamed_losses():
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(0.1))
    weights = pn.fn.adaptive.softadapt({"first": p**2, "second": (p - 1) ** 2})
    crux = pn.core([weights["first"] * p**2, weights["second"] * (p - 1) ** 2, weights["second"].tracker()])
    run = crux.solve(3)
    assert list(run.history) == ["total", "loss0", "loss1", "w(loss1)"]


def test_runs_plot_without_changing_global_state():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, key=jax.random.key(0))).optimizer(optax.adam(1)).scale(1e-3)
    _, ode, start = decay(net)
    w_ode, w_start = pn.fn.adaptive.softadapt([ode, start])
    u = net(pn.domain.interval(0, 1).variable("left"))
    run = pn.core([w_ode * ode, w_start * start, w_ode.tracker(), w_start.tracker(), u.mean.tracker("left")]).solve(5)
    before = dict(matplotlib.rcParams)
    figure, axes = run.plot()
    assert [panel.get_ylabel() for panel in axes] == ["loss", "weight", "tracked", "rate"]
    assert dict(matplotlib.rcParams) == before
    plt.close(figure)
