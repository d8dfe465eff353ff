"""Laplacians that are estimated along random directions: their mean, their variance, when they are drawn."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import np as pnp
from pinnace._errors import ExpressionError, LoweringError

pytestmark = pytest.mark.usefixtures("x64")


def box(d, n=20_000):
    return list(pn.domain.box(*[(0, 1)] * d).variable("interior", n))


def quadratic(d, seed=0):
    """x^T A x, whose second derivatives are those of A + A^T."""
    a = jax.random.normal(jax.random.key(seed), (d, d))
    return lambda *x: jnp.stack(x) @ a @ jnp.stack(x), np.asarray(a + a.T)


def field(d, **more):
    return pn.nn(eqx.nn.MLP(d, "scalar", 8, 2, jnp.tanh, key=jax.random.key(1))).optimizer(optax.adam(1e-3), **more)


def estimate(u, xs, samples):
    return pnp.laplacian(u, xs, estimator="hutchinson", samples=samples)


@pytest.mark.parametrize("samples", [1, 3, 16])
@pytest.mark.parametrize("d", [2, 7])
def test_mean_and_variance(d, samples):
    xs = box(d)
    function, hessian = quadratic(d)
    net = field(d)
    crux = pn.core([(net(*xs) - 1).mse])
    found = np.asarray(crux.eval(estimate(pn.apply(function, *xs), xs, samples)))
    mixed = hessian - np.diag(np.diag(hessian))
    variance = 2 * (mixed**2).sum() / samples
    assert abs(found.mean() - np.trace(hessian)) < 5 * np.sqrt(variance / len(found))
    assert found.var() == pytest.approx(variance, rel=0.15)


def test_without_mixed_derivatives_it_is_exact():
    xs = box(5, 50)
    net = field(5)
    crux = pn.core([(net(*xs) - 1).mse])
    u = sum(pnp.sin((k + 1) * x) for k, x in enumerate(xs))
    exact = pnp.laplacian(u, xs)
    for samples in (1, 20):
        np.testing.assert_allclose(crux.eval(estimate(u, xs, samples)), crux.eval(exact), rtol=1e-12)


def test_of_networks_and_what_holds_them():
    """At one point taken often, the mean over the directions is the sum of all second derivatives."""
    xs = pn.domain.box(*[(0, 1)] * 4).variable("interior", 64)
    net = field(4)
    *space, t = xs
    u = net(*xs)
    crux = pn.core([u.mse])
    same = dict.fromkeys(xs, jnp.full(40_000, 0.3))
    for expr in (u, t * (1 - space[0]) * u, pnp.sin(u) + u.d(t), pnp.stack([u, u * t])):
        found = np.asarray(crux.eval(estimate(expr, space, 16), same))
        exact = np.asarray(crux.eval(pnp.laplacian(expr, space), dict.fromkeys(xs, jnp.array([0.3]))))[0]
        error = found.std(axis=0) / np.sqrt(len(found))
        assert np.all(np.abs(found.mean(axis=0) - exact) < 5 * error)


def test_derivatives_of_an_estimate():
    xs = box(3, 40_000)
    u = pn.apply(lambda x, y, z: jnp.sin(x) * jnp.exp(y * z) + x**2 * y, *xs)
    net = field(3)
    crux = pn.core([(net(*xs) - 1).mse])
    same = dict.fromkeys(xs, jnp.full(40_000, 0.4))
    slope = np.asarray(crux.eval(estimate(u, xs, 4).d(xs[0]), same))
    exact = np.asarray(crux.eval(pnp.laplacian(u, xs).d(xs[0]), dict.fromkeys(xs, jnp.array([0.4]))))[0]
    assert abs(slope.mean() - exact) < 5 * slope.std() / np.sqrt(len(slope))


def test_drawn_anew_at_each_step_and_again_with_the_same_key():
    def run(key, calls):
        xs = box(6, 30)
        net = field(6)
        a, b = (estimate(net(*xs), xs, 2).mean for _ in range(2))
        net.optimizer(optax.sgd(0.0))
        crux = pn.core([net(*xs).mse, a.tracker("a"), b.tracker("b")], key=key)
        for steps in calls:
            seen = crux.eval(a)
            assert seen == crux.eval(a)
            crux.solve(steps, progress=False)
        return crux.history["a"], crux.history["b"]

    first, other = run(0, [3, 5])
    again, _ = run(0, [8])
    assert len(set(first.tolist())) == 8 and not set(first.tolist()) & set(other.tolist())
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == run(1, [8])[0])


def test_the_product_of_two_estimates_has_no_bias():
    d = 5
    xs = box(d, 40_000)
    function, hessian = quadratic(d)
    net = field(d)
    crux = pn.core([(net(*xs) - 1).mse])
    u = pn.apply(function, *xs)
    one, two = (estimate(u, xs, 1) - 1.0 for _ in range(2))
    exact = (np.trace(hessian) - 1) ** 2
    products = np.asarray(crux.eval(one * two))
    assert abs(products.mean() - exact) < 5 * products.std() / np.sqrt(len(products))
    assert float(crux.eval(one.mse)) > exact + 0.5 * 2 * (hessian**2 - np.diag(np.diag(hessian)) ** 2).sum()


@pytest.mark.parametrize("microbatch", [None, 17])
def test_training(microbatch):
    xs = box(20, 50)
    net = field(20)
    loss = (estimate(net(*xs), xs, 16) + net(*xs) - 1).mse
    run = pn.core([loss], microbatch=microbatch).solve(60, progress=False)
    assert run.history["total"][-10:].mean() < 0.7 * run.history["total"][:10].mean()


def test_errors():
    xs = box(2, 10)
    net = field(2)
    u = net(*xs)
    with pytest.raises(ExpressionError, match="hutchinson"):
        pnp.laplacian(u, xs, estimator="hutch")
    for samples in (0, 1.5, True):
        with pytest.raises(ExpressionError, match="samples"):
            estimate(u, xs, samples)
    with pytest.raises(LoweringError, match="inside another"):
        pn.core([estimate(estimate(u, xs, 2), xs, 2).mse]).solve(1)
    with pytest.raises(LoweringError, match="moves its coordinates"):
        pn.core([estimate(u.at({xs[0]: xs[1]}), xs[1:], 2).mse]).solve(1)
    assert str(estimate(u, xs, 2)) == "laplacian(u, [x, y], samples=2)"
    assert "widehat" in estimate(u, xs, 2)._repr_latex_()
