"""What `crux.check()` finds, and what it leaves in peace; differences against closed forms."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace.lower.evaluate import EVALUATE
from pinnace.step.differences import slope, steps_of

DOMAIN = pn.domain.interval(-1, 1).time(0, 1)


def network(activation=jnp.tanh, module=None):
    module = module or eqx.nn.MLP(2, "scalar", 5, 1, activation, key=jax.random.key(0))
    return pn.nn(module).optimizer(optax.adam(1e-3))


def chain(net, n=40):
    """Derivatives up to the fourth, a condition, and one that is moved."""
    x, t = DOMAIN.variable("interior", n)
    x0, t0 = DOMAIN.variable("initial", 12)
    u = net(x, t)
    r = u.d(t) + u * u.d(x) + u.dd(x) + u.dd(x).dd(x)
    start, periodic = net(x0, t0) + pn.np.sin(x0), u.at({x: -1.0}) - u.at({x: 1.0})
    return [r.mse.named("ks"), start.mse.named("ic"), periodic.mse.named("periodic")]


@pytest.mark.parametrize(
    ("function", "derivative", "at"),
    [
        (np.exp, np.exp, np.linspace(-3, 3, 7)),
        (lambda x: np.sin(200 * x), lambda x: 200 * np.cos(200 * x), np.linspace(0, 1, 9)),
        (np.log, lambda x: 1 / x, np.array([3e-2, 1e-1, 1.0])),
        (lambda x: np.where(x < 0.5, x**2, x), lambda x: np.where(x < 0.5, 2 * x, 1.0), np.array([0.2, 0.499, 0.51])),
        (lambda x: 1e-12 * x**3, lambda x: 3e-12 * x**2, np.array([1.0, 2.0])),
    ],
)
def test_differences_are_exact_to_what_they_say(function, derivative, at):
    steps = steps_of(1.0)
    with np.errstate(all="ignore"):
        found, error = slope(function(at + steps[:, None]), function(at - steps[:, None]), steps)
    expected = derivative(at)
    assert np.all(np.abs(found - expected) <= 10 * error) and np.all(error <= 1e-7 * np.abs(expected).max())


def test_differences_tell_where_they_do_not_settle():
    noise = np.random.default_rng(0).normal(size=(2, 12, 5))
    found, error = slope(1 + 1e-3 * noise[0], 1 + 1e-3 * noise[1], steps_of(1.0))
    assert np.all(error > 1e-2 * np.abs(found))


def test_a_healthy_problem_of_fourth_order_is_left_in_peace():
    crux = pn.core(chain(network()))
    before = crux.state
    report = crux.check(points=5, seed=3)
    assert report.ok and "nothing is suspicious" in repr(report)
    shown = {one.text: one for one in report.compared}
    assert set(shown) >= {"d(u, t)", "d(u, x)", "d(u, x, x, x, x)", "residual of ks"}
    assert all(one.error < 1e-9 and one.uncertain < 1e-7 for one in report.compared)
    jax.tree.map(np.testing.assert_array_equal, crux.state, before)
    assert "<td><code>d(u, t)</code></td>" in report._repr_html_()


@jax.custom_jvp
def leaning(z):
    """tanh with a derivative that is one percent too large."""
    return jnp.tanh(z)


leaning.defjvp(lambda z, dz: (leaning(z[0]), 1.01 * dz[0] * (1 - leaning(z[0]) ** 2)))


def test_a_derivative_that_is_wrong_by_a_percent_is_found():
    x, _ = DOMAIN.variable("interior", 20)
    u = network()(x, 0.5)
    wrong = pn.apply(leaning, u).named("leaning")
    report = pn.core([wrong.dd(x).mse.named("wrong"), u.dd(x).mse.named("right")]).check(points=8)
    assert not report.ok and list(report.findings) == ["wrong"]
    # its second derivative is wrong because the first is, which is told alone
    (sentence,) = report.findings["wrong"]
    assert sentence.startswith("`d(leaning(u(x, 0.5)), x)` is wrong at 8 of 8 points")
    errors = {one.text: one.error for one in report.compared}
    assert errors["d(leaning(u(x, 0.5)), x)"] == pytest.approx(0.01, rel=0.02)


def test_a_residual_that_is_put_together_wrongly_is_found(monkeypatch):
    """A sum of derivatives travels as one term: here one that is one percent too large."""
    right = EVALUATE["functional"]

    def larger(jet):
        return replace(jet, value=1.01 * jet.value)

    monkeypatch.setitem(EVALUATE, "functional", lambda *given: larger(right(*given)))
    x, t = DOMAIN.variable("interior", 20)
    u = network()(x, t)
    report = pn.core([(u.d(t) - 0.1 * u.dd(x)).mse.named("heat")]).check(points=4)
    (sentence,) = report.findings["heat"]
    assert sentence.startswith("its residual is not what its single derivatives make of it")


class Blind(eqx.Module):
    """Looks at the first coordinate only."""

    inner: eqx.nn.MLP

    def __call__(self, point):
        return self.inner(point[:1])


def test_networks_without_second_derivative_and_blind_ones_are_told():
    x, t = DOMAIN.variable("interior", 20)
    report = pn.core([(network(jax.nn.relu)(x, t).dd(x) + x).mse.named("ks")]).check(points=6)
    (_, sentence) = report.findings["ks"]
    assert sentence.startswith("`d(u, x, x)` is 0 at all points, and `d(u, x)` is not")
    u = network(module=Blind(eqx.nn.MLP(1, "scalar", 4, 1, jnp.tanh, key=jax.random.key(0))))(x, t)
    report = pn.core([(u.d(x) - 1).mse.named("a"), u.mse.named("b")]).check(points=6)
    assert report.findings == {"a": ["`u` does not change with t"], "b": ["`u` does not change with t"]}
    assert "  a, b: `u` does not change with t" in repr(report)


def test_losses_that_are_dead_not_finite_or_of_other_size_are_told():
    x, t = DOMAIN.variable("interior", 20)
    u = network()(x, t)
    losses = {
        "fine": (u.d(x) - 1).mse,
        "dead": (x + 0 * u).mse,
        "held": (0 * u).mse,
        "broken": pn.np.log(u - 5).mse,
        "steep": pn.np.sqrt(0 * u).mse,
        "tiny": (1e-6 * u).mse,
    }
    findings = pn.core([loss.named(name) for name, loss in losses.items()]).check(points=6).findings
    expected = {
        "dead": "does not change with anything that is trained",
        "held": "holds by construction",
        "broken": "is nan because `log(u - 5)` is nan at 20 of 20 points",
        "steep": "is finite, but its gradient is nan",
        "tiny": "scale the equations",
    }
    assert set(findings) == set(expected)
    for name, sentence in expected.items():
        assert any(sentence in found for found in findings[name]), (name, findings[name])


def test_points_of_a_check_are_a_number():
    with pytest.raises(pn.PinnaceError, match="from 1 on"):
        pn.core(chain(network())[1:2]).check(points=0)
