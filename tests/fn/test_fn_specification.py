"""The calls of the specification's first page, as they stand, with `import pinnace as jno`."""

import equinox as eqx
import jax
import numpy as np
import optax
import pytest

import pinnace as jno
from pinnace import LearningRateSchedule as lrs


@pytest.fixture
def problem():
    dom = jno.domain.interval(0, 1).time(0, 1)
    x, t = dom.variable("interior", 32)
    x0, t0 = dom.variable("initial", 16)
    net = jno.nn(eqx.nn.MLP(2, "scalar", 8, 2, jax.numpy.tanh, key=jax.random.key(0)))
    u = net(x, t)
    return net, (u.d(t) - 0.1 * u.dd(x)).mse, (net(x0, t0) - jno.np.sin(jno.np.pi * x0)).mse


OPTIMIZERS = {
    "adam": lambda: optax.adam(1e-3),
    "adamw": lambda: optax.adamw(5e-4, weight_decay=1e-2),
    "chain": lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3)),
    "sgd": lambda: optax.sgd(1e-3, momentum=0.9),
    "lbfgs": lambda: optax.lbfgs(),
    "lion": lambda: optax.lion(1e-4),
}

SCHEDULES = {
    "exponential": lambda: lrs.exponential(1e-3, 0.9, 2000, 1e-5),
    "exponential by name": lambda: lrs.exponential(lr0=1e-3, decay_rate=0.9, decay_steps=1000, lr_end=1e-5),
    "dlrs": lambda: jno.fn.adaptive.dlrs(lr0=1e-3, window=10),
    "callable": lambda: lrs(lambda epoch, losses: 1e-4 * (0.9 ** (epoch / 500))),
    "branch": lambda: lrs(lambda epoch, losses: 1e-3 if losses[0] > 1e-2 else 1e-5),
    "constant": lambda: lrs.constant(1e-3),
    "number": lambda: lrs(1e-3),
    "cosine": lambda: lrs.cosine(total_steps=5000, lr0=1e-3, lr_end=1e-6),
    "warmup": lambda: lrs.warmup_cosine(total_steps=5000, warmup_steps=500, lr0=1e-3, lr_end=1e-6),
    "piecewise": lambda: lrs.piecewise_constant(boundaries=[1000, 3000], values=[1e-3, 5e-4, 1e-4]),
    "step": lambda: lrs.step(1e-3, 4, gamma=0.5, min_lr=1e-4, max_lr=1e-2),
    "optax": lambda: lrs(optax.linear_schedule(1e-3, 1e-4, 10)),
}

BALANCERS = {
    "relobralo": {"alpha": 0.99, "tau": 0.1, "expected_rho": 0.999, "seed": 42},
    "softadapt": {"beta": 0.1},
    "dwa": {"temperature": 2.0},
    "lbpinns_loss_balancing": {"init_s": 0.0, "lr_s": 1e-2},
    "rlw": {"alpha": 1.0, "seed": 42},
}


def assert_trains(entries, steps=12):
    crux = jno.core(entries)
    run = crux.solve(steps)
    assert run.steps == steps
    for name in run.history:
        assert np.all(np.isfinite(run.history[name])), name
    return run


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(problem, name):
    net, pde, ic = problem
    net.optimizer(OPTIMIZERS[name]())
    run = assert_trains([pde, ic])
    assert run.history["total"][-1] < run.history["total"][0]


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(problem, name):
    net, pde, ic = problem
    net.optimizer(optax.adam(1)).scale(SCHEDULES[name]())
    run = assert_trains([pde, ic])
    assert run.history["lr(u)"].shape == (12,)


def test_the_branch_follows_the_loss(x64):
    p = jno.parameter(0.0105).optimizer(optax.sgd(1.0)).scale(SCHEDULES["branch"]())
    run = jno.core([p]).solve(3)
    np.testing.assert_allclose(run.history["lr(p)"], [1e-3, 1e-5, 1e-5])


@pytest.mark.parametrize("mode", ["raw", "minmax", "l2"])
@pytest.mark.parametrize("name", BALANCERS)
def test_balancers(problem, name, mode):
    net, pde, bc = problem
    net.optimizer(optax.adam(1)).scale(1e-3)
    w_pde, w_bc = getattr(jno.fn.adaptive, name)([pde, bc], mode=mode, **BALANCERS[name])
    run = assert_trains([w_pde * pde, w_bc * bc, w_pde.tracker(), w_bc.tracker()], 6)
    assert np.all(run.history["w(loss0)"] >= 0)
