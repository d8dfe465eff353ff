"""Large point sets in batches: the same numbers, at bounded memory."""

from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace.step import advance
from pinnace.train import Crux

BATCHES = [1, 16, 50]
"""Of 51 points: one at a time, with a short last batch, and two batches of which one is nearly all."""


def field(width=8, depth=2, inputs=2):
    return pn.nn(eqx.nn.MLP(inputs, "scalar", width, depth, jnp.tanh, key=jax.random.key(1)))


def every_reduction():
    """All reductions, nested ones, several sets, weights inside residuals, what has no points."""
    dom = pn.domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", 51, sampler="uniform", resample=2)
    xb, tb = dom.variable("boundary", 23, sampler="uniform")
    net = field().optimizer(optax.sgd(1e-3))
    p = pn.parameter(0.3, name="p", positive=True).optimizer(optax.sgd(1e-3))
    u, b = net(x, t), net(xb, tb)
    r = u.d(t) + u * u.d(x) - p * u.dd(x)
    mse, mae, huber = r.mse.named("mse"), (r - b.mean).mae.named("mae"), r.huber(0.1).named("huber")
    w_mse, w_mae, w_huber = pn.fn.adaptive.relobralo([mse, mae, huber])
    spread = (u - u.mean).mse
    pair = pn.np.stack([u, u.d(x)])
    return [
        w_mse * mse,
        w_mae * mae,
        w_huber * huber,
        r.weighted(1 + x**2),
        pair.weighted(pn.np.stack([t, 2 * t])),
        (u**2).max,
        0.01 * pair.sum,
        u.mean**2,
        ((u - u.mean) / (1 + spread)).mse,
        (u * w_mse - 1).mse,
        (b - b.mean * spread).mse,
        (u.at({x: xb, t: tb}) - b.max).mse,
        (net(0.5, t) - 1).mse + (p - 0.1) ** 2,
        w_mse.tracker(),
        u.tracker("u"),
        (u - u.mean).mse.tracker("rare", every=3),
    ]


@pytest.mark.parametrize("microbatch", BATCHES)
def test_batches_change_nothing(x64, microbatch):
    whole, parts = pn.core(every_reduction()), pn.core(every_reduction(), microbatch=microbatch)
    whole.solve(6)
    parts.solve(6)
    for name in whole.history:
        np.testing.assert_allclose(parts.history[name], whole.history[name], rtol=1e-11, err_msg=name)
    for ours, theirs in zip(jax.tree.leaves(parts.state.params), jax.tree.leaves(whole.state.params), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("how", ["mse", "mae", "mean", "sum", "max", "huber", "weighted"])
def test_values_and_gradients_of_each_reduction(x64, how):
    """Against numpy on the same points, with ties among the largest values."""
    table = np.round(np.linspace(-1, 1, 29) ** 3, 1)
    (x,) = pn.domain.data(x=table)
    p = pn.parameter(2.0, name="p").optimizer(optax.sgd(1.0))
    r = p * x**2 - 1
    loss = r.huber(0.5) if how == "huber" else r.weighted(1 + x) if how == "weighted" else getattr(r, how)
    residual, slope = 2 * table**2 - 1, table**2
    small, w = np.abs(residual) <= 0.5, 1 + table
    value, gradient = {
        "mse": (np.mean(residual**2), np.mean(2 * residual * slope)),
        "mae": (np.mean(np.abs(residual)), np.mean(np.sign(residual) * slope)),
        "mean": (np.mean(residual), np.mean(slope)),
        "sum": (np.sum(residual), np.sum(slope)),
        "max": (np.max(residual), slope[np.argmax(residual)]),
        "huber": (
            np.mean(np.where(small, residual**2 / 2, 0.5 * (np.abs(residual) - 0.25))),
            np.mean(np.where(small, residual, 0.5 * np.sign(residual)) * slope),
        ),
        "weighted": (np.mean(w * residual**2), np.mean(2 * w * residual * slope)),
    }[how]
    for microbatch in (None, 4, 10):
        crux = pn.core([loss], microbatch=microbatch)
        run = crux.solve(1)
        np.testing.assert_allclose(run.history["total"][0], value, rtol=1e-13)
        np.testing.assert_allclose(2.0 - float(crux.eval(p)), gradient, rtol=1e-13)
        p.data[0].module = eqx.tree_at(lambda free: free.raw, p.data[0].module, jnp.array(2.0))


def test_the_gradient_of_a_maximum_is_shared_as_without_batches(x64):
    (x,) = pn.domain.data(x=[1.0, 0.5, 1.0, 1.0, 0.2])
    net = pn.nn(eqx.nn.Linear(1, "scalar", key=jax.random.key(0))).optimizer(optax.sgd(1.0))
    p, q = pn.parameter(1.0).optimizer(optax.sgd(1.0)), pn.parameter(0.0).optimizer(optax.sgd(1.0))
    # 1 at three points, whose slopes by q differ: the share of each counts
    (place,) = pn.domain.data(place=[0.0])
    loss = (p * x + q * pn.apply(lambda v: v, x) * 0 + q * (x > 0.9)).max + 0 * net(place).mse
    values = []
    for microbatch in (None, 2, 3):
        crux = pn.core([loss], microbatch=microbatch, key=0)
        crux.solve(1)
        values.append((float(crux.eval(p)), float(crux.eval(q))))
        for one in (p, q):
            one.data[0].module = eqx.tree_at(lambda free: free.raw, one.data[0].module, jnp.array(1.0 * (one is p)))
    np.testing.assert_allclose(values, [(0.0, -1.0)] * 3, atol=1e-14)


def test_parts_of_mini_batches_change_nothing(x64):
    def trained(microbatch):
        x, t = pn.domain.interval(-1, 1).time(0, 1).variable("interior", 100, batch=19, resample=9)
        rows = np.arange(23.0)
        xd, td, seen = pn.domain.data(x=rows / 23, t=rows % 5 / 5, seen=np.sin(rows), batch=6)
        net = field(6, 1).optimizer(optax.sgd(1e-2))
        u = net(x, t)
        pde = (u.d(t) + u * u.d(x) - 0.1 * u.dd(x)).mse.named("pde")
        crux = pn.core([pde, (net(xd, td) - seen).mse.named("data")], microbatch=microbatch)
        crux.solve(8)
        return crux

    whole, parts = trained(None), trained(5)
    for name in whole.history:
        np.testing.assert_allclose(parts.history[name], whole.history[name], rtol=1e-12, err_msg=name)
    for ours, theirs in zip(jax.tree.leaves(parts.state.params), jax.tree.leaves(whole.state.params), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def memory_of(crux: Crux) -> int:
    fixed, numbers = crux._recipe()
    compiled = jax.jit(partial(advance.advance, fixed)).lower(numbers, crux.state).compile()
    return compiled.memory_analysis().temp_size_in_bytes


def big(n, **options):
    dom = pn.domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", n)
    net = field(32, 3).optimizer(optax.adam(1e-3))
    u = net(x, t)
    return pn.core([(u.d(t) + u * u.d(x) - 0.01 * u.dd(x)).mse + (u - u.mean).mse], **options)


def test_memory_is_that_of_a_batch():
    small, large = memory_of(big(20_000, microbatch=5000)), memory_of(big(200_000, microbatch=5000))
    assert large < 2 * small
    assert large < 0.25 * memory_of(big(200_000))


def test_eval_goes_in_batches_too(x64):
    entries = every_reduction()
    whole, parts = pn.core(entries), pn.core(entries, microbatch=8)
    for entry in entries[:-3]:
        np.testing.assert_allclose(parts.eval(entry), whole.eval(entry), rtol=1e-12)
    u = entries[-2].expr
    assert parts.eval(u).shape == (51,)


def test_line_searches_and_least_squares_go_on(x64):
    x = pn.domain.interval(0, 1).variable("interior", 32)
    a, b = pn.parameter(0.0, name="a"), pn.parameter(0.0, name="b")
    pn.optimizer([a, b], optax.lbfgs()).scale(1.0)
    crux = pn.core([(a * x + b * x**2 - 3 * x + x**2).mse], microbatch=5)
    crux.solve(15)
    assert float(crux.eval(a)) == pytest.approx(3, abs=1e-6)

    def update(updates, state, params=None, *, value, residual_fn, **_):
        return jax.tree.map(jnp.zeros_like, updates), jnp.stack([value, jnp.sum(residual_fn(params) ** 2)])

    tx = optax.GradientTransformationExtraArgs(lambda params: jnp.zeros(2), update)
    c = pn.parameter(1.0, name="c").optimizer(tx)
    crux = pn.core([(c * x - (c * x).mean).mse], microbatch=5)
    crux.solve(1)
    np.testing.assert_allclose(*crux.state.optimizers[0], rtol=1e-12)


@pytest.mark.parametrize("wrong", [0, -3, 2.5, True, "10"])
def test_what_is_no_batch_is_told(wrong):
    p = pn.parameter(1.0).optimizer(optax.sgd(0.1))
    with pytest.raises(pn.PinnaceError, match=rf"int from 1 on; got {wrong!r}.*microbatch=10_000"):
        pn.core([p], microbatch=wrong)


def test_equal_options_share_one_compilation():
    first, second, other = (pn.core([p_loss()], microbatch=m)._recipe()[0] for m in (8, 8, 9))
    assert first.scale == second.scale and hash(first.scale) == hash(second.scale)
    assert replace(first, scale=other.scale) != first


def p_loss():
    return (pn.parameter(1.0).optimizer(optax.sgd(0.1)) ** 2).named("p")
