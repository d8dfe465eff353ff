"""Section 3 of the design: what exactly one step is."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import LearningRateSchedule as lrs

BALANCERS = [
    "relobralo",
    "softadapt",
    "dwa",
    "lbpinns_loss_balancing",
    "rlw",
    "equal_init",
    "ema",
    "equal_init_ema",
]


def two_losses(tx=None, module=None):
    """A small network, with a residual and a condition."""
    x = pn.domain.interval(0, 1).variable("interior", 16)
    net = pn.nn(module or eqx.nn.MLP(1, "scalar", 6, 2, jnp.tanh, key=jax.random.key(1)))
    net.optimizer(tx or optax.adam(1)).scale(1e-2)
    u = net(x)
    return net, u, (u.d(x) - u).mse.named("ode"), ((u.at({x: 0.0}) - 1) ** 2).named("start")


@pytest.mark.parametrize("name", BALANCERS)
def test_weights_move_once_a_step_however_they_are_used(x64, name):
    _, u, ode, start = two_losses()
    w_ode, w_start = getattr(pn.fn.adaptive, name)([ode, start])
    entries = [w_ode * ode, 0.5 * w_start * start, w_ode * 2 * ode, w_start * start]
    crux = pn.core([*entries, w_ode.tracker(), w_ode.tracker(), w_start.tracker(), w_start.tracker("again")])
    for steps in (7, 1, 22):
        crux.solve(steps)
        crux.eval(u)
        crux.eval(w_ode * ode)
    raw = np.stack([crux.history["ode"], crux.history["start"]], axis=1)
    balancer = getattr(pn.balance, name)()
    state, expected = balancer.init(2), []
    for losses in raw:
        weights, state = balancer.update(jnp.asarray(losses), state)
        expected.append(np.asarray(weights))
    expected = np.array(expected)
    logged = np.stack([crux.history["w(ode)"], crux.history["w(start)"]], axis=1)
    np.testing.assert_allclose(logged, expected, rtol=1e-12)
    np.testing.assert_array_equal(crux.history["again"], crux.history["w(start)"])
    np.testing.assert_allclose(crux.history["total"], (expected * raw) @ [3, 1.5], rtol=1e-12)
    assert np.ptp(expected, axis=0).max() > 0 or name == "equal_init"


def test_relobralo_equals_its_formula_in_numpy(x64):
    _, _, ode, start = two_losses()
    w_ode, w_start = pn.fn.adaptive.relobralo([ode, start], alpha=0.9, tau=0.5, expected_rho=0.8, seed=3)
    crux = pn.core([w_ode * ode, w_start * start, w_ode.tracker(), w_start.tracker()])
    for steps in (4, 1, 12):
        crux.solve(steps)
    raw = np.stack([crux.history["ode"], crux.history["start"]], axis=1)

    def share(now, past):
        z = now / past / 0.5
        return 2 * np.exp(z - z.max()) / np.exp(z - z.max()).sum()

    weights = [np.ones(2)]
    for t in range(1, len(raw)):
        rho = float(jax.random.bernoulli(jax.random.fold_in(jax.random.key(3), t), 0.8))
        before = rho * weights[-1] + (1 - rho) * share(raw[t], raw[0])
        weights.append(0.9 * before + 0.1 * share(raw[t], raw[t - 1]))
    logged = np.stack([crux.history["w(ode)"], crux.history["w(start)"]], axis=1)
    np.testing.assert_allclose(logged, weights, rtol=1e-9)


def test_a_parameter_falls_by_exactly_the_rate(x64):
    p = pn.parameter(5.0, name="p").optimizer(optax.sgd(1.0)).scale(lrs.exponential(0.1, 0.5, 3))
    crux = pn.core([p])
    values = np.concatenate(
        [crux.solve(5).history["total"], crux.solve(1).history["total"], crux.solve(7).history["total"]]
    )
    np.testing.assert_allclose(-np.diff(values), 0.1 * 0.5 ** (np.arange(12) / 3), rtol=1e-12)
    assert crux.history["lr(p)"][6] == pytest.approx(0.1 * 0.5**2, rel=1e-14)


def test_the_rate_sees_the_entries_of_this_step(x64):
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(1.0))
    (w,) = pn.fn.adaptive.fixed([p.named("loss")], [3.0])
    p.scale(lrs(lambda epoch, losses: 0.1 * losses[0] + 0.01 * losses["loss"] + epoch * 0.0))
    run = pn.core([w * p.named("loss"), 0.5 * p]).solve(4)
    np.testing.assert_allclose(run.history["lr(p)"], 0.31 * run.history["loss"], rtol=1e-12)


def test_attaching_anew_restarts_the_count_and_scaling_does_not(x64):
    p = pn.parameter(5.0, name="p").optimizer(optax.sgd(1.0)).scale(lrs(lambda epoch: 1e-3 * (epoch + 1)))
    crux = pn.core([p])
    crux.solve(3)
    p.scale(lrs(lambda epoch: 1e-4 * (epoch + 1)))
    np.testing.assert_allclose(crux.solve(2).history["lr(p)"], [4e-4, 5e-4], rtol=1e-12)
    p.optimizer(optax.sgd(1.0)).scale(lrs(lambda epoch: 1e-4 * (epoch + 1)))
    np.testing.assert_allclose(crux.solve(2).history["lr(p)"], [1e-4, 2e-4], rtol=1e-12)


def test_steps_equal_a_loop_written_by_hand(x64):
    net, u, ode, start = two_losses(optax.adamw(1e-2, weight_decay=0.1))
    net.scale(1.0)
    module, x = net.module, u.args[0]
    crux = pn.core([ode + 2 * start])
    points = crux.state.points[0][:, 0]
    crux.solve(9)

    def loss(module):
        slope = jax.vmap(lambda s: jax.jvp(module, (s[None],), (jnp.ones(1),))[1])(points)
        return jnp.mean((slope - jax.vmap(module)(points[:, None])) ** 2) + 2 * (module(jnp.zeros(1)) - 1) ** 2

    params, static = eqx.partition(module, eqx.is_inexact_array)
    tx = optax.adamw(1e-2, weight_decay=0.1)
    state, totals = tx.init(params), []
    for _ in range(9):
        value, grads = jax.value_and_grad(lambda params: loss(eqx.combine(params, static)))(params)
        updates, state = tx.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        totals.append(value)
    np.testing.assert_allclose(crux.history["total"], totals, rtol=1e-9)
    for ours, theirs in zip(
        jax.tree.leaves(eqx.filter(net.module, eqx.is_array)), jax.tree.leaves(params), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-14)
    assert x.kind == "coordinate"


def test_rare_trackers_and_arrays_belong_to_their_step(x64):
    _, u, ode, start = two_losses()
    crux = pn.core(
        [
            ode + start,
            u.tracker("field", every=3),
            ode.tracker("copy"),
            (2 * u.mean).tracker("twice", every=2),
        ]
    )
    crux.solve(5)
    crux.solve(6)
    history = crux.history
    assert history["field"].shape == (4, 16)
    np.testing.assert_array_equal(history.steps("field"), [0, 3, 6, 9])
    np.testing.assert_allclose(history["twice"][3], 2 * history["field"][2].mean(), rtol=1e-12)
    np.testing.assert_array_equal(history["copy"], history["ode"])


def test_resampled_points_move_inside_the_step():
    x = pn.domain.interval(0, 1).variable("interior", 8, resample=3)
    p = pn.parameter(1.0).optimizer(optax.sgd(0.1))
    crux = pn.core([(p - x).mse, x.tracker("x")])
    crux.solve(4)
    crux.solve(4)
    points = crux.history["x"]
    changes = [not np.array_equal(points[k], points[k + 1]) for k in range(7)]
    assert changes == [False, False, True, False, False, True, False]
    assert points.min() >= 0 and points.max() <= 1


def test_several_fields_each_with_its_own_optimizer(x64):
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(1.0)).scale(0.1)
    q = pn.parameter(1.0, name="q").optimizer(optax.sgd(0.01))
    crux = pn.core([p + q])
    run = crux.solve(3)
    assert float(crux.eval(p)) == pytest.approx(0.7)
    assert float(crux.eval(q)) == pytest.approx(0.97)
    assert "lr(p)" in run.history and "lr(q)" not in run.history


@pytest.mark.filterwarnings("ignore:the loss .ode. stays")
def test_frozen_and_filtered_parameters_stay():
    net, _, ode, start = two_losses()
    last = eqx.tree_at(
        lambda m: (m.layers[-1].weight, m.layers[-1].bias),
        jax.tree.map(lambda _: False, net.module),
        (True, True),
    )
    before = net.module
    net.optimizer(optax.adam(1e-2), filter=last)
    pn.core([ode + start]).solve(2)
    assert np.array_equal(before.layers[0].weight, net.module.layers[0].weight)
    assert not np.array_equal(before.layers[-1].weight, net.module.layers[-1].weight)
    q = pn.parameter(2.0).optimizer(optax.sgd(0.1))
    net.freeze()
    before = net.module
    pn.core([q**2 + ode]).solve(2)
    assert np.array_equal(before.layers[-1].weight, net.module.layers[-1].weight)
    assert float(q.value) < 2.0


def test_lbfgs_with_line_search_solves_least_squares(x64):
    x = pn.domain.interval(0, 1).variable("interior", 32)
    a, b = pn.parameter(0.0, name="a"), pn.parameter(0.0, name="b")
    pn.optimizer([a, b], optax.lbfgs()).scale(1.0)
    crux = pn.core([(a * x + b * x**2 - 3 * x + x**2).mse])
    crux.solve(15)
    assert float(crux.eval(a)) == pytest.approx(3, abs=1e-6)
    assert float(crux.eval(b)) == pytest.approx(-1, abs=1e-6)


def test_the_line_search_holds_weights(x64):
    net, _, ode, start = two_losses()
    w_ode, w_start = pn.fn.adaptive.rlw([ode, start])
    net.optimizer(optax.lbfgs()).scale(1.0)
    crux = pn.core([w_ode * ode, w_start * start, w_ode.tracker()])
    with pytest.warns(pn.PinnaceWarning, match='optimizer of "u" evaluates.*the weights of rlw change'):
        crux.solve(6)
    balancer = pn.balance.rlw()
    state, expected = balancer.init(2), []
    for losses in zip(crux.history["ode"], crux.history["start"], strict=True):
        weights, state = balancer.update(jnp.asarray(losses), state)
        expected.append(float(weights[0]))
    np.testing.assert_allclose(crux.history["w(ode)"], expected, rtol=1e-12)


def test_optimizers_get_the_residual_vector_of_the_total(x64):
    seen = {}

    def update(updates, state, params=None, *, value, grad, value_fn, residual_fn, **_):
        r = residual_fn(params)
        seen["shape"] = r.shape
        return jax.tree.map(jnp.zeros_like, updates), jnp.stack([value, jnp.sum(r**2), value_fn(params)])

    tx = optax.GradientTransformationExtraArgs(lambda params: jnp.zeros(3), update)
    _, u, ode, _ = two_losses(tx)
    w_ode, _ = pn.fn.adaptive.fixed([ode, (u - 1).mse.named("other")], [2.0, 1.0])
    with pytest.warns(pn.PinnaceWarning, match=r"w\(other\)"):
        missed = u.at({x_of(u): 0.0}) - 1
        numbers = 2 * missed**2 + pn.np.square(missed) / 3 + (2 * missed) * (2 * missed) + u.mse * missed**2
        crux = pn.core([w_ode * ode, 3 * (u - 1).mse / 2, 0.5 * u.weighted(x_of(u) ** 2), numbers])
    crux.solve(1)
    value, squares, again = np.asarray(crux.state.optimizers[0])
    np.testing.assert_allclose([squares, again], value, rtol=1e-12)
    assert seen["shape"] == (3 * 16 + 3 + 16,)


def x_of(u):
    return u.args[0]


def test_what_is_no_sum_of_squares_is_named_when_asked_for():
    def update(updates, state, params=None, *, residual_fn, **_):
        residual_fn(params)
        return updates, state

    tx = optax.GradientTransformationExtraArgs(lambda params: (), update)
    _, u, ode, _ = two_losses(tx)
    with pytest.raises(pn.PinnaceError, match=r"u\.mae.*no sum of squares"):
        pn.core([ode, u.mae]).solve(1)
