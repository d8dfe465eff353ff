"""Free expressions: what lives on no points of its own takes those of what it meets, by the names of the axes."""

import copy
import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace._errors import ExpressionError
from pinnace.domain import coordinates

dom = pn.domain.rectangle((0, 2), (0, 1))
X, Y = coordinates(dom)
x, y = dom.variable("interior", 8)
xb, yb = dom.variable("left", 4)
net = pn.nn(eqx.nn.MLP(2, "scalar", 4, 1, jnp.tanh, key=jax.random.key(0))).optimizer(optax.adam(1e-3))
free = X * (2 - X) * pn.np.sin(Y)
there = x * (2 - x) * pn.np.sin(y)


def test_equal_domains_have_one_set_of_free_coordinates():
    assert coordinates(pn.domain.rectangle((0, 2), (0, 1)))[0] is X
    assert coordinates(dom.time(0, 1))[0] is not X
    assert free.points.free and not x.points.free
    assert repr(free.points) == "anywhere in rectangle((0, 2), (0, 1))"
    assert free + X * Y is X * (2 - X) * pn.np.sin(Y) + X * Y  # two of one domain stay free


BOUND = {
    "left of an operator": (lambda: free * net(x, y), lambda: there * net(x, y)),
    "right of an operator": (lambda: net(xb, yb) - free, lambda: net(xb, yb) - xb * (2 - xb) * pn.np.sin(yb)),
    "in a function of several": (lambda: pn.np.where(x > 0, free, 0.0), lambda: pn.np.where(x > 0, there, 0.0)),
    "in a vector": (lambda: pn.np.stack([free, x]), lambda: pn.np.stack([there, x])),
    "in a network": (lambda: net(free, y), lambda: net(there, y)),
    "inside a free network": (lambda: net(free, Y) * x, lambda: net(there, y) * x),
    "under a name": (lambda: free.named("d") + x, lambda: there.named("d") + x),
    "in pn.apply": (lambda: pn.apply(jnp.hypot, free, x), lambda: pn.apply(jnp.hypot, there, x)),
    "its derivative": (lambda: free.d(x), lambda: there.d(x)),
    "mixed": (lambda: free.d(x, y), lambda: there.d(x, y)),
    "derivative of a free derivative": (lambda: free.d(X).d(y), lambda: there.d(x).d(y)),
    "moved": (lambda: free.at({x: 0.5}), lambda: there.at({x: 0.5})),
    "moved to other points": (lambda: free.at({x: xb, y: yb}), lambda: there.at({x: xb, y: yb})),
    "as a place": (lambda: net(x, y).at({x: free}), lambda: net(x, y).at({x: there})),
    "as one of two places": (
        lambda: net(x, y).at({x: xb, y: Y}),
        lambda: net(x, y).at({x: xb, y: yb}),
    ),
    "laplacian": (lambda: pn.np.laplacian(free, [x, y]), lambda: pn.np.laplacian(there, [x, y])),
    "divergence": (lambda: pn.np.div([free, Y], [x, y]), lambda: pn.np.div([there, y], [x, y])),
    "a component that does not depend": (lambda: pn.np.div([Y, free], [x, y]), lambda: pn.np.div([y, there], [x, y])),
    "a weight": (lambda: net(x, y).weighted(free), lambda: net(x, y).weighted(there)),
    "weighted itself": (lambda: free.weighted(x), lambda: there.weighted(x)),
    "an error": (lambda: pn.np.relative_l2(net(x, y), free), lambda: pn.np.relative_l2(net(x, y), there)),
    "an array on the left": (lambda: np.float64(2.0) * free * x, lambda: 2.0 * there * x),
}


@pytest.mark.parametrize("written", BOUND)
def test_it_is_bound_to_the_points_of_what_it_meets(written):
    got, expected = (build() for build in BOUND[written])
    assert got is expected, f"{got!r} instead of {expected!r}"


def test_points_of_other_domains_and_data_bind_by_name():
    t, late_y, late_x = pn.domain.box((0, 1), (0, 1), (0, 1), names=("t", "y", "x")).variable("interior", 4)
    assert t + free is t + late_x * (2 - late_x) * pn.np.sin(late_y)
    xd, seen, yd = pn.domain.data(x=[0.1, 0.2], seen=[1.0, 2.0], y=[0.3, 0.4])
    assert free - seen is xd * (2 - xd) * pn.np.sin(yd) - seen


def test_a_free_expression_stays_what_it_is():
    assert pickle.loads(pickle.dumps(free)) is free
    assert copy.deepcopy(free) is free
    free * x
    assert free.points.free and free.at({}) is free
    assert repr(free) == "x * (2 - x) * sin(y)"


def test_what_is_not_free_is_left_alone():
    assert there.at({x: 0.5}).args[0] is there
    with pytest.raises(ExpressionError, match="`x` lives on"):
        x * xb


MISTAKES = {
    "two domains": (
        lambda: free * coordinates(pn.domain.disk())[0],
        [r"anywhere in rectangle", "anywhere in disk", r'dom.distance\("boundary", x, y\)'],
    ),
    "an axis is missing": (
        lambda: free * pn.domain.interval(0, 1).variable("interior", 4),
        ['"y" anywhere in rectangle', "4 points of interior of interval", 'coordinates "x"', r"data\(y="],
    ),
    "an axis has another name": (
        lambda: free - pn.domain.data(x=[0.1], z=[0.2])[0],
        ['"y" anywhere in', 'the data have the coordinates "x", "z"'],
    ),
    "reduced": (lambda: free.mse, ["lives on no points yet", r'dom.distance\("left", x, y\)']),
    "reduced with another": (lambda: free.weighted(X), ["lives on no points yet"]),
    "an entry": (lambda: pn.core([free]), ["lives on no points yet"]),
    "a tracker": (lambda: pn.core([net(x, y).mse, free.tracker()]), ["lives on no points yet"]),
    "by a coordinate it does not depend on": (lambda: X.d(y), ["does not depend on y"]),
    "two sets at once": (lambda: pn.np.stack([free, x, xb]), ["lives on", "one point set"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_errors_that_say_what_to_do(mistake):
    build, words = MISTAKES[mistake]
    for word in words:
        with pytest.raises(pn.PinnaceError, match=word):
            build()


def test_eval_binds_to_the_coordinates_that_are_given():
    crux = pn.core([(free * net(x, y)).mse.named("held")])
    at = np.linspace(0, 1, 5)
    np.testing.assert_allclose(crux.eval(free, {x: at, y: 0.3}), at * (2 - at) * np.sin(0.3), rtol=1e-5)
    np.testing.assert_allclose(crux.eval(free, {xb: at, yb: 0.3}), at * (2 - at) * np.sin(0.3), rtol=1e-5)
    np.testing.assert_allclose(crux.eval(free * 0 + x), crux.eval(x))
    with pytest.raises(ExpressionError, match="lives on no points yet"):
        crux.eval(free)
    with pytest.raises(ExpressionError, match=r'"y" anywhere in .* have the coordinates "x"'):
        crux.eval(free, {pn.domain.interval(0, 1).variable("interior", 4): 0.5})
