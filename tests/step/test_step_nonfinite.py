"""A loss that is nan or infinite is told with the expression that made it so, and the point."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace.step import first_nonfinite

POINTS = np.linspace(0.0, 1.0, 11)


@pytest.fixture(scope="module")
def line():
    """x from 0 to 1 at eleven points."""
    return pn.domain.data(x=POINTS)[0]


def reason(crux, name="total", **more):
    return first_nonfinite(crux._compiled, crux._state, crux._scale, name, **more)


def field(x, size=1.0):
    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, jnp.tanh, key=jax.random.key(0))).optimizer(optax.sgd(size))
    return net, net(x)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: pn.np.log(x - 0.35) * x, "`log(x - 0.35)` is nan at 4 of 11 points, first at x = 0, where `x - 0.3"),
        (
            lambda x: pn.np.arctan2(pn.np.exp(1000 * x), pn.np.log(x - 0.35)),
            "`log(x - 0.35)` is nan at 4 of 11 points",  # where the other is infinite, the whole is finite
        ),
        (lambda x: (1 / (x - 0.5)) ** 2, "`1 / (x - 0.5)` is inf at 1 of 11 points, first at x = 0.5, where `x - 0"),
        (lambda x: (pn.np.sqrt(x) * x**2).d(x), "`d(sqrt(x), x)` is inf at 1 of 11 points, first at x = 0, where"),
        (lambda x: -pn.np.exp(1000 * x).named("growth"), "`exp(1000 * x)` is inf at"),
        (lambda x: pn.np.log(x - 0.5).at({x: x * x}), "`log(x - 0.5).at({x: x * x})` is nan at 8 of 11 points, first"),
        (lambda x: pn.np.stack([x, pn.np.log(x)]), "`log(x)` is -inf at 1 of 11 points, first at x = 0"),
        (lambda x: x - pn.np.log(x).mean, "`log(x)` is -inf at 1 of 11 points"),
        (lambda x: 1e200 * (1 + x), "`(1e+200 * (1 + x)).mse` is inf: `1e+200 * (1 + x)` is finite, up to 2e+200"),
    ],
)
def test_the_innermost_expression_is_named_with_its_first_point(line, x64, make, expected):
    _, u = field(line)
    crux = pn.core([make(line).mse.named("bad"), u.mse.named("good")])
    assert expected in reason(crux, "bad")


def test_what_a_where_leaves_out_is_innocent(line, x64):
    _, u = field(line)
    r = pn.np.where(line > 0.5, pn.np.log(line - 0.5), pn.np.log(line - 0.15)) + u
    crux = pn.core([r.mse.named("r")])
    assert reason(crux, "total").startswith("because `log(x - 0.15)` is nan at 2 of 11 points, first at x = 0,")
    innocent = pn.np.where(line > 0.5, pn.np.log(line), 0.0) + u
    assert reason(pn.core([innocent.mse])) is None


def test_batches_name_the_same(line, x64):
    _, u = field(line)
    r = pn.np.log(line - 0.35) + u - u.mean
    found = [reason(pn.core([r.mse.named("r")], microbatch=m)) for m in (None, 3)]
    assert found[0] == found[1] and "`log(x - 0.35)` is nan at 4 of 11 points" in found[0]


class Broken:
    """Gives its second weight nan at the third step."""

    def init(self, m):
        return jnp.zeros((), int)

    def update(self, losses, state):
        return jnp.ones(2).at[1].set(jnp.where(state == 2, jnp.nan, 1.0)), state + 1


def test_a_weight_that_is_not_finite_is_named_with_its_balancer(line):
    _, u = field(line, 0.01)
    losses = [u.d(line).mse.named("pde"), u.mse.named("bc")]
    a, b = pn.weigh(losses, Broken())
    crux = pn.core([a * losses[0], b * losses[1]])
    crux.solve(2, progress=False)
    before = crux.state
    assert reason(crux) == "because `w(bc)` is nan, as broken gives it"
    assert reason(crux, "bc") is None
    jax.tree.map(np.testing.assert_array_equal, crux.state, before)


def test_points_are_those_of_the_step(x64):
    """Drawn again at the step that fails, not those of the step before."""
    x = pn.domain.interval(0, 1).variable("interior", 8, sampler="uniform", resample=1)
    _, u = field(x)
    fine = pn.core([(u + 0 * x).mse, x.tracker("x")])
    fine.solve(1, progress=False)
    state = fine._state
    fine.solve(1, progress=False)
    wrong = pn.core([(u + 0 * pn.np.log(x - 2)).mse])
    found = first_nonfinite(wrong._compiled, state, wrong._scale)
    assert f"first at x = {fine.history['x'][1, 0]:.6g}," in found
    assert fine.history["x"][1, 0] != fine.history["x"][0, 0]


def test_lost_parameters_are_told_with_what_lost_them(line):
    _, u = field(line, 1.0)
    hidden = pn.np.where(line > 0.5, pn.np.sqrt(line * u.d(line) * 0), u)
    crux = pn.core([hidden.mse.named("pde"), u.mse.named("bc")])
    before = crux._state
    run = crux.solve(2, progress=False)
    assert run.outcome is pn.Outcome.NONFINITE
    assert reason(crux) is None
    lost = eqx.tree_at(lambda s: s.params[0].layers[0].weight, before, replace_fn=lambda w: w * jnp.nan)
    found = first_nonfinite(crux._compiled, lost, None, "pde", before=before)
    assert found.startswith('because 4 of 13 parameters of `u` are not finite; the gradient of "pde" was not finite')
    fine = pn.core([u.mse.named("bc")])
    found = first_nonfinite(fine._compiled, lost, before=before)
    assert "all gradients were finite, so it was the optimizer or its rate" in found


def test_a_name_that_no_loss_has(line):
    _, u = field(line)
    with pytest.raises(pn.PinnaceError, match=r'no loss "pdf".*Did you mean "pde"'):
        reason(pn.core([u.mse.named("pde")]), "pdf")
