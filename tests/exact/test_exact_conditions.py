"""Conditions that hold exactly: before any training, to rounding, whatever the network."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace.expr import Expr
from pinnace.lower.evaluate import evaluate
from pinnace.lower.given import Given
from pinnace.lower.require import require
from pinnace.optim import Trainable

domain, exact = pn.domain, pn.exact


def network(inputs, outputs="scalar", seed=0):
    return pn.nn(eqx.nn.MLP(inputs, outputs, 6, 1, jnp.tanh, key=jax.random.key(seed)))


def values(exprs, points, *trainables: Trainable):
    """The values of expressions on one point set at points, as a step computes them, at the networks as they are."""
    place = next(expr.points for expr in exprs if expr.points is not None)
    plan, modules = require(exprs), {one: one.module for one in trainables}

    @jax.jit
    def evaluated(points):
        found = evaluate(plan, Given(modules, {place: points}, lambda k, values: points[:0]))
        return [jnp.broadcast_to(one, (len(points), *expr.shape)) for one, expr in zip(found, exprs, strict=True)]

    return list(map(np.asarray, evaluated(jnp.asarray(points))))


def on(dom, region, n=16):
    symbols = dom.variable(region, n)
    return np.asarray((symbols if isinstance(symbols, Expr) else symbols[0]).points.plan.init(jax.random.key(0))[0])


def worst(expr, points, *trainables):
    return np.abs(values([expr], points, *trainables)[0]).max()


def test_initial_values_of_any_order(x64):
    dom = domain.interval(-1, 1).time(0.5, 3)
    x, t = dom.variable("interior", 8)
    net = network(2)
    u0, v0, a0 = pn.np.sin(x), pn.np.cos(3 * x), x**2
    u = exact.initial(net(x, t), dom, u0, v0, a0)
    starts = on(dom, "initial")
    off = values([u - u0, u.d(t) - v0, u.dd(t) - a0, u.d(t, t, t)], starts, net)
    assert max(np.abs(one).max() for one in off[:3]) < 1e-12
    assert np.abs(off[3]).max() > 1e-3  # the next one is free
    assert exact.initial(net(x, t), dom, 0.0, 0.0) is ((t - 0.5) / 2.5) ** 2 * net(x, t)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_values_on_several_regions(dim, x64):
    space = [domain.interval(0, 2), domain.rectangle((0, 2), (-1, 1)), domain.box((0, 2), (-1, 1), (0, 1))][dim - 1]
    dom = space.time(0, 1)
    *xs, t = dom.variable("interior", 8)
    net, last = network(dim + 1), xs[-1]
    held = {"x_min": pn.np.sin(t), "x_max": last * pn.np.exp(t) + 2.0}
    held |= {f"{xs[1]!r}_min": pn.np.sin(t)} if dim > 1 else {}
    u = exact.dirichlet(net(*xs, t), dom, held)
    for region, value in held.items():
        # where two regions meet with different values there is no right one, and no random point is there
        assert worst(u - value, on(dom, region), net) < 1e-12, region
    assert worst(u - net(*xs, t), on(dom, "interior"), net) > 1e-2


def test_values_around_holes(x64):
    dom = domain.rectangle((0, 2), (0, 1)) - domain.disk((0.6, 0.5), 0.2).tag("hole")
    x, y = dom.variable("interior", 8)
    net = network(2)
    u = exact.dirichlet(net(x, y), dom, {"left": 0.0, "right": pn.np.sin(y), "hole": 1 + x})
    for region, value in (("left", 0.0), ("right", pn.np.sin(y)), ("hole", 1 + x)):
        assert worst(u - value, on(dom, region), net) < 1e-12, region
    flow = network(2, 2, seed=1)
    w = exact.dirichlet(flow(x, y), dom, {"boundary": pn.np.stack([y, 0.0])})
    assert w.shape == (2,) and worst(w - pn.np.stack([y, 0.0]), on(dom, "boundary"), flow) < 1e-12


def test_initial_and_boundary_values_together(x64):
    dom = domain.interval(-1, 1).time(1, 3)
    x, t = dom.variable("interior", 8)
    net = network(2)
    u0, v0 = pn.np.sin(np.pi * x), 0.3 * (1 - x**2)
    u = exact.dirichlet(net(x, t), dom, {"left": pn.np.cos(t - 1) - 1, "right": 0.0}, initial=[u0, v0])
    start = values([u - u0, u.d(t) - v0], on(dom, "initial"), net)
    assert max(np.abs(one).max() for one in start) < 1e-12
    assert worst(u - (pn.np.cos(t - 1) - 1), on(dom, "left"), net) < 1e-12
    assert worst(u, on(dom, "right"), net) < 1e-12
    simple = exact.dirichlet(net(x, t), dom, {"boundary": 0.0}, initial=u0)
    assert worst(simple - u0, on(dom, "initial"), net) < 1e-12
    assert worst(simple, on(dom, "boundary"), net) < 1e-12


def test_fluxes_beside_values(x64):
    dom = domain.rectangle((0, 1), (0, 2))
    x, y = dom.variable("interior", 8)
    net = network(2)
    v = exact.dirichlet(net(x, y), dom, {"left": pn.np.sin(y)})
    u = exact.neumann(v, dom, {"right": 1 - 2 * v, "top": x}, keep="left")
    assert worst(u - pn.np.sin(y), on(dom, "left"), net) < 1e-12
    assert worst(u.d(x) + 2 * u - 1, on(dom, "right"), net) < 1e-12
    assert worst(u.d(y) - x, on(dom, "top"), net) < 1e-12


@pytest.mark.parametrize(
    "dom", [domain.disk((0.3, 0.2), 0.7), domain.interval(-1, 2), domain.ball((0, 0, 1), 2)], ids=repr
)
def test_fluxes_through_a_whole_boundary(dom, x64):
    dom = dom.time(0, 1)
    *xs, t = dom.variable("interior", 8)
    net = network(len(xs) + 1)
    v = net(*xs, t)
    u = exact.neumann(v, dom, {"boundary": xs[0] - 2 * v**3})
    bound = dom.variable("boundary", 16)
    normals = pn.normal(*bound)
    normals = normals if isinstance(normals, tuple) else (normals,)
    there = dict(zip((*xs, t), bound, strict=True))
    flux = sum(n * u.d(x).at(there) for n, x in zip(normals, xs, strict=True))
    wanted = (xs[0] - 2 * u**3).at(there)
    assert worst(flux - wanted, on(dom, "boundary"), net) < 1e-12


def test_it_goes_on_holding_while_it_is_trained():
    import optax

    dom = domain.rectangle((0, 1), (0, 1))
    x, y = dom.variable("interior", 64)
    u = exact.dirichlet(network(2).optimizer(optax.adam(1e-2))(x, y), dom, {"left": y, "right": 1.0, "top": 1.0})
    crux = pn.core([(pn.np.laplacian(u, [x, y]) + 1).mse])
    run = crux.solve(20, progress=False)
    assert run.history["total"][-1] < run.history["total"][0]
    at = np.linspace(0, 1, 9)
    np.testing.assert_array_equal(crux.eval(u, {x: 0.0, y: at}), at.astype(np.float32))
    np.testing.assert_array_equal(crux.eval(u, {x: at, y: 1.0}), np.ones(9, np.float32))
    assert np.isfinite(crux.eval(u.d(x, y), {x: np.array([0.0, 1.0]), y: np.array([0.0, 1.0])})).all()


dom = domain.rectangle((0, 1), (0, 1))
x, y = dom.variable("interior", 4)
MISTAKES = {
    "no domain": (lambda: exact.dirichlet(x, "left", {}), "takes an expression and the domain"),
    "a number": (lambda: exact.dirichlet(1.0, dom, {"left": 0}), r"such as `net\(x, y\)`; `1.0` is one number"),
    "no dict": (lambda: exact.dirichlet(x, dom, 0.0), r'a dict from regions to values, .*"boundary": 0.0'),
    "an unknown region": (lambda: exact.dirichlet(x, dom, {"lift": 0.0}), "no region 'lift'.*Did you mean \"left\""),
    "values of another shape": (
        lambda: exact.dirichlet(x, dom, {"left": pn.np.stack([x, y])}),
        "Give one number, or one for each component",
    ),
    "values at other points": (
        lambda: exact.dirichlet(x, dom, {"left": dom.variable("left", 4)[1]}),
        "one point set",
    ),
    "one side twice": (lambda: exact.dirichlet(x, dom, {"left": 0.0, "x_min": 1.0}), "are the same region"),
    "the boundary and a side of it": (
        lambda: exact.dirichlet(x, dom, {"boundary": 0.0, "left": 1.0}),
        '"boundary" holds "left"',
    ),
    "initial values beside others": (
        lambda: exact.dirichlet(x, dom.time(0, 1), {"left": 0.0, "initial": 1.0}),
        r"dirichlet\(u, dom, \{\.\.\.\}, initial=1.0\)",
    ),
    "initial without time": (lambda: exact.initial(x, dom, 0.0), "has no time, and so no initial values"),
    "initial without values": (
        lambda: exact.initial(x, dom),
        r"initial\(u, dom, u0, v0\)",
    ),
    "fluxes: no dict": (lambda: exact.neumann(x, dom, 0.0), "a dict from regions to fluxes"),
    "fluxes: of what is kept": (lambda: exact.neumann(x, dom, {"left": 0.0}, keep="left"), '"left" is none'),
    "fluxes: initial": (lambda: exact.neumann(x, dom.time(0, 1), {"initial": 0.0}), '"initial" is none'),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_errors(mistake):
    build, told = MISTAKES[mistake]
    with pytest.raises(pn.PinnaceError, match=told):
        build()


@pytest.mark.parametrize("unknown", [False, True])
def test_periodic_coordinates(unknown, x64):
    dom = domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", 8)
    net, length = network(7), 1.7
    period = pn.parameter(length, name="L", positive=True) if unknown else length
    u = net(pn.periodic(x, period, harmonics=3), t)
    trained = (net, period.data[0]) if unknown else (net,)
    points = np.random.default_rng(0).uniform(-1, 1, (16, 2))
    exprs = [u, u.d(x), u.dd(x), u.d(x, x, x), u.d(t)]
    here, there = values(exprs, points, *trained), values(exprs, points + np.array([length, 0]), *trained)
    for order, (one, other) in enumerate(zip(here, there, strict=True)):
        np.testing.assert_allclose(one, other, atol=1e-12 * 10**order)
    waves = values([pn.periodic(x, 2.0, harmonics=2)], points)[0]
    angle = np.pi * points[:, 0]
    expected = [np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    np.testing.assert_allclose(waves, np.stack(expected, 1), atol=1e-14)


@pytest.mark.parametrize(
    "build, told",
    [
        (lambda: pn.periodic(x, 0.0), "a period is a positive number; got 0.0"),
        (lambda: pn.periodic(x, float("inf")), "a period is a positive number"),
        (lambda: pn.periodic(pn.np.stack([x, y]), 1.0), "one coordinate and one period"),
        (lambda: pn.periodic(x, 1.0, harmonics=0), "from 1 on; got 0"),
        (lambda: pn.periodic("x", 1.0), "'x' is neither"),
    ],
)
def test_mistakes_with_periods_are_errors(build, told):
    with pytest.raises(pn.PinnaceError, match=told):
        build()
