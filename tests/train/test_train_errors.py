"""Mistakes are told where they are written, in the user's notation, with what to do."""

import re
import traceback
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

import pinnace as pn
from pinnace import LearningRateSchedule as lrs


class Problem:
    """Burgers, small."""

    def __init__(self):
        self.dom = dom = pn.domain.interval(-1, 1).time(0, 1)
        self.x, self.t = dom.variable("interior", 20)
        self.xb, self.tb = dom.variable("boundary", 10)
        self.net = pn.nn(eqx.nn.MLP(2, "scalar", 4, 1, key=jax.random.key(0)))
        self.u = self.net(self.x, self.t)
        self.pde = (self.u.d(self.t) + self.u * self.u.d(self.x)).mse.named("pde")
        self.bc = self.net(self.xb, self.tb).mse.named("bc")


MISTAKES = {
    "a derivative by a name": (lambda p: p.u.d("x"), r"`u`\.d takes coordinates.*got 'x'.*variable"),
    "a list without brackets": (
        lambda p: pn.fn.adaptive.relobralo(p.pde, p.bc),
        r"one list; got 2.*relobralo\(\[pde, bc\]",
    ),
    "a residual as an entry": (
        lambda p: pn.core([p.u.d(p.t)]),
        r"`d\(u, t\)` has a value at each of 20 points, but an entry of core must be a scalar.*\(d\(u, t\)\)\.mse",
    ),
    "two point sets in one sum": (
        lambda p: p.u + p.net(p.xb, p.tb),
        r"`u` lives on 20 points of interior.*10 points of boundary",
    ),
    "a misspelt region": (lambda p: p.dom.variable("interor"), r'interor.*Did you mean "interior"'),
    "a field without optimizer": (
        lambda p: pn.core([p.pde]),
        r"`u` has no optimizer: attach one.*\.freeze\(\)",
    ),
    "a misspelt mode": (
        lambda p: pn.fn.adaptive.relobralo([p.pde, p.bc], mode="min-max"),
        r'min-max.*Did you mean "minmax"',
    ),
    "values and boundaries": (lambda p: lrs.piecewise_constant([10, 20], [1e-3, 1e-4]), r"2|3"),
    "a point too small": (
        lambda p: p.net(p.x),
        r"`net\(x\)` gives its module a point of 1 number, and it wants 2 numbers",
    ),
    "a branch on an expression": (
        lambda p: 1 if p.u > 0 else 2,
        r"`u > 0` has no truth value.*pn\.np\.where",
    ),
    "a coordinate it does not depend on": (
        lambda p: pn.np.sin(p.x).d(p.t),
        r"`sin\(x\)` does not depend on t",
    ),
    "a bare weight": (
        lambda p: pn.core([pn.fn.adaptive.rlw([p.pde, p.bc])[0]]),
        r"`w\(pde\)` is a weight alone.*`w\(pde\) \* pde`.*`w\(pde\)\.tracker\(\)`",
    ),
    "a residual to a balancer": (
        lambda p: pn.fn.adaptive.rlw([p.u, p.bc]),
        r"`u` has a value at each of 20 points.*\(?u\)?\.mse",
    ),
    "a field as an entry": (
        lambda p: pn.core([p.net]),
        r"an entry of core is a scalar expression.*called on coordinates",
    ),
    "no list": (lambda p: pn.core(p.pde), r"core takes a list.*got `pde`"),
    "nothing": (lambda p: pn.core([]), r"at least one loss"),
    "trackers only": (lambda p: pn.core([p.pde.tracker()]), r"at least one loss"),
    "an optimizer not called": (lambda p: p.net.optimizer(optax.adam), r"Call it: optax\.adam\(1\)"),
    "a number as optimizer": (lambda p: p.net.optimizer(1e-3), r"optax transformation such as optax\.adam"),
    "a rate without optimizer": (lambda p: p.net.scale(1e-3), r"has none yet"),
    "one name for two losses": (
        lambda p: pn.core([p.pde, (p.u**2).mean.named("pde")]),
        r'two losses are called "pde"',
    ),
    "a tracker with a loss's name": (
        lambda p: pn.core([p.pde, p.u.tracker("pde")]),
        r'two things are logged as "pde"',
    ),
    "an unknown argument": (lambda p: pn.fn.adaptive.relobralo([p.pde, p.bc], aplha=1), r"relobralo.*aplha"),
    "one loss twice": (lambda p: pn.fn.adaptive.rlw([p.pde, p.pde]), r"`pde` is in the list twice"),
    "a key": (lambda p: pn.core([p.pde], key="a"), r"key of core is an int"),
    "points with holes": (lambda p: pn.parameter(float("nan")), r"finite number"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_at_their_line(mistake):
    problem = Problem()
    make, expected = MISTAKES[mistake]
    if "without optimizer" not in mistake:
        problem.net.optimizer(optax.adam(1e-3))
    with pytest.raises(pn.PinnaceError) as caught:
        make(problem)
    assert re.search(expected, str(caught.value), re.DOTALL), str(caught.value)
    assert len(str(caught.value)) < 500
    frames = traceback.extract_tb(caught.tb)
    assert frames[1].filename == __file__  # the user's line is just below the test, and no trace lies between


def test_an_index_out_of_range_in_a_rate_is_told():
    p = pn.parameter(1.0).optimizer(optax.sgd(1.0)).scale(lrs(lambda epoch, losses: losses[3]))
    with pytest.raises(pn.PinnaceError, match="1"):
        pn.core([p]).solve(1)


def test_an_unused_weight_is_one_warning_at_the_line_of_core():
    problem = Problem()
    problem.net.optimizer(optax.adam(1e-3))
    w_pde, w_bc = pn.fn.adaptive.relobralo([problem.pde, problem.bc])
    with pytest.warns(pn.PinnaceWarning, match=r"w\(bc\).*not used") as caught:
        pn.core([w_pde * problem.pde, problem.bc, w_bc.tracker()])
    assert len(caught) == 1 and caught[0].filename == __file__


def test_a_balancer_that_looks_at_residuals_needs_losses_that_have_some():
    class Largest:
        reads = frozenset({"residuals"})

        def init(self, m):
            return ()

        def update(self, losses, state, *, residuals):
            return jnp.stack([1 / jnp.max(jnp.abs(r)) for r in residuals]), state

    problem = Problem()
    problem.net.optimizer(optax.adam(1e-3))
    w_pde, w_bc = pn.weigh([problem.pde, problem.bc], Largest())
    crux = pn.core([w_pde * problem.pde, w_bc * problem.bc, w_pde.tracker()])
    largest = float(jnp.max(jnp.abs(crux.eval(problem.pde.args[0].args[0]))))
    assert crux.solve(1).history["w(pde)"][0] == pytest.approx(1 / largest, rel=1e-6)
    with pytest.raises(pn.PinnaceError, match="not the reduction of one"):
        pn.weigh([2 * problem.pde], Largest())


def test_somebodys_own_balancer_gets_step_and_key():
    class Own:
        reads = frozenset({"step", "key"})

        def init(self, m):
            return jnp.zeros(m)

        def update(self, losses, state, *, step, key):
            return losses + jax.random.uniform(key) + step, state

    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(0.0))
    (w,) = pn.weigh([p], Own())
    weights = pn.core([w * p, w.tracker()]).solve(3).history["w(loss0)"]
    assert [int(value) for value in weights] == [1, 2, 3]
    assert len({round(float(value) % 1, 6) for value in weights}) == 3


def test_everything_used_warns_of_nothing():
    problem = Problem()
    problem.net.optimizer(optax.adam(1e-3))
    w_pde, w_bc = pn.fn.adaptive.relobralo([problem.pde, problem.bc])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pn.core([w_pde * problem.pde, w_bc * problem.bc])


def weighed(problem, weights):
    return [weights[0] * problem.pde, weights[1] * problem.bc]


MOVING = {
    "weights at each step": lambda p: weighed(p, pn.fn.adaptive.rlw([p.pde, p.bc])),
    "points drawn anew": lambda p: [p.pde, p.bc, (p.net(*p.dom.variable("interior", 8, resample=3)) - 1).mse],
    "points moved": lambda p: [p.pde, p.bc, pn.fn.adaptive.r3(p.u.d(p.t), every=5)],
    "weights of points": lambda p: [(pn.fn.adaptive.rba(p.u) * p.u).mse, p.bc],
    "an estimate": lambda p: [pn.np.laplacian(p.u, [p.x, p.t], estimator="hutchinson", samples=2).mse, p.bc],
}
STANDING = {
    "numbers": lambda p: [2 * p.pde, p.bc],
    "equal_init": lambda p: weighed(p, pn.fn.adaptive.equal_init([p.pde, p.bc])),
    "fixed": lambda p: weighed(p, pn.fn.adaptive.fixed([p.pde, p.bc], [1, 2])),
    "rarely": lambda p: weighed(p, pn.fn.adaptive.grad_norm([p.pde, p.bc])),
}


@pytest.mark.parametrize("kind", MOVING)
def test_a_line_search_in_a_moving_loss_is_one_warning(kind):
    problem = Problem()
    problem.net.optimizer(optax.lbfgs()).scale(1.0)
    crux = pn.core(MOVING[kind](problem))
    with pytest.warns(pn.PinnaceWarning, match='optimizer of "u" evaluates.*change from step to step') as caught:
        crux.solve(1)
        crux.solve(1)
    assert len(caught) == 1 and caught[0].filename == __file__
    problem.net.optimizer(optax.adam(1e-3))
    crux.solve(1)


@pytest.mark.parametrize("kind", STANDING)
def test_a_line_search_in_a_loss_that_stands_is_none(kind):
    problem = Problem()
    problem.net.optimizer(optax.lbfgs()).scale(1.0)
    pn.core(STANDING[kind](problem)).solve(1)


def test_surgery_is_called_before_it_is_given():
    problem = Problem()
    problem.net.optimizer(optax.adam(1e-3))
    with pytest.raises(pn.PinnaceError, match=r"surgery=pn\.surgery\.config\(\)"):
        pn.core([problem.pde, problem.bc], surgery=pn.surgery.config)


def test_points_that_are_only_logged_or_replaced_do_not_disturb_a_search(recwarn):
    dom = pn.domain.interval(0, 1)
    few, still, fresh = (
        dom.variable("interior", 64, batch=8),
        dom.variable("interior", 8),
        dom.variable("interior", 8, resample=1),
    )
    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, jnp.tanh, key=jax.random.key(0))).optimizer(optax.lbfgs())
    law = (net(few) - few**2).at({few: still})
    pn.core([law.mse, (net(fresh) - fresh**2).mse.tracker("error")]).solve(1)
    assert not recwarn.list
    mean = net(few) - net(few).mean
    with pytest.warns(pn.PinnaceWarning, match="each step out of 64 change from step to step"):
        pn.core([mean.at({few: still}).mse]).solve(1)
