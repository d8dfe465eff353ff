"""Warnings of what is probably not meant: once, in plain words, and not where all is well."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

import pinnace as pn


def poisson(activation, weight=1.0, scale=10.0):
    dom = pn.domain.interval(0, 1)
    x, b = dom.variable("interior", 32), dom.variable("boundary")
    net = pn.nn(eqx.nn.MLP(1, "scalar", 16, 2, activation, key=jax.random.key(0))).optimizer(optax.adam(3e-3))
    u = net(x)
    return [(u.dd(x) + scale * pn.np.sin(3 * x)).mse.named("pde"), weight * net(b).mse.named("bc")]


def quiet(crux, steps):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return crux.solve(steps)


def test_a_loss_that_nothing_learns_from_is_named():
    crux = pn.core(poisson(jax.nn.relu))
    with pytest.warns(pn.PinnaceWarning, match='the loss "pde" stays 52.* whatever .*relu') as told:
        run = crux.solve(30)
    assert len(told) == 1 == len(run.notes)
    assert told[0].filename == __file__
    quiet(crux, 30)  # told once


def test_a_healthy_problem_is_quiet():
    assert quiet(pn.core(poisson(jnp.tanh)), 900).notes == ()


def test_to_look_compiles_nothing(caplog):
    with jax.log_compiles(), caplog.at_level("WARNING"):
        quiet(pn.core(poisson(jnp.tanh)), 5)
    assert sum("Compiling jit(run_chunk)" in record.getMessage() for record in caplog.records) == 1


def test_a_loss_that_is_met_exactly_is_quiet():
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(0.1))
    assert quiet(pn.core([(p - 1) ** 2, (0 * p).named("hard")]), 10).notes == ()


def test_the_trivial_solution_is_named_with_what_it_misses():
    dom = pn.domain.interval(0, 1).time(0, 1)
    x, t = dom.variable("interior", 64)
    x0, t0 = dom.variable("initial", 16)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 16, 2, jnp.tanh, key=jax.random.key(0))).optimizer(optax.adam(1e-2))
    u = net(x, t)
    pde = (u.dd(x) + 400 * u + u.d(t)).mse.named("pde")
    ic = (net(x0, t0) - pn.np.sin(20 * x0)).mse.named("ic")
    crux = pn.core([pde, ic])
    with pytest.warns(pn.PinnaceWarning, match='"pde" has vanished while "ic" did not fall, and the field') as told:
        crux.solve(2000)
    assert len(told) == 1


def test_weights_that_stay_at_a_limit_are_named():
    pde, bc = (loss.args[-1] if loss.kind != "named" else loss for loss in poisson(jnp.tanh))
    w_pde, w_bc = pn.fn.adaptive.equal_init([pde, bc], max_weight=0.5)
    with pytest.warns(pn.PinnaceWarning, match=r'the weight of "bc" stays at its upper limit 0.5: equal_init') as told:
        pn.core([w_pde * pde, w_bc * bc]).solve(900)
    assert len({str(one.message) for one in told}) == len(told) <= 2
