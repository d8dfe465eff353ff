"""Separable networks on grids: the same values and derivatives as anywhere else, from the axes alone."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import np as pnp
from pinnace._errors import FieldError

pytestmark = pytest.mark.usefixtures("x64")


def separable(d, outputs="scalar", seed=0):
    module = pn.arch.Separable(d, outputs, 3, 6, 1, key=jax.random.key(seed))
    return pn.nn(module).optimizer(optax.adam(1e-3))


def residuals(u, xs):
    x, y, *_ = xs
    return [
        u,
        u.d(x),
        u.dd(y) + u.dd(x),
        u.d(x, y, y) * u,
        u.d(x) - 0.1 * u.dd(y) + (1 + x * y) * u.dd(x),
        pnp.laplacian(pnp.laplacian(u, [x, y]), [x, y]),
        x * (1 - y) * u.d(y, y),
        (pnp.sin(u) * x).dd(x),
        u.at({x: 0.5}).d(y),
    ]


DOMAINS = {
    "rectangle": pn.domain.rectangle((0, 1), (-1, 2)),
    "space and time": pn.domain.interval(0, 2).time(0, 1),
    "box": pn.domain.box((0, 1), (0, 2), (1, 2)),
}


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("outputs", ["scalar", 2])
def test_on_a_grid_as_elsewhere(name, outputs):
    xs = DOMAINS[name].variable("interior", 60, sampler="grid")
    u = separable(len(xs), outputs)(*xs)
    crux = pn.core([u.mse])
    points = np.asarray(crux.state.points[0])
    assert xs[0].points.plan.grid is not None and len(points) == np.prod(xs[0].points.plan.grid)
    for expr in residuals(u, xs):
        here = crux.eval(expr)
        there = crux.eval(expr, {x: points[:, k] for k, x in enumerate(xs)})
        np.testing.assert_allclose(here, there, rtol=1e-10, atol=1e-12)


def test_coordinates_in_another_order_and_some_only():
    x, y, z = DOMAINS["box"].variable("interior", 60, sampler="grid")
    for args in ((y, x), (z, y, x), (z, x), (y + 1, z), (x, x)):
        u = separable(len(args))(*args)
        crux = pn.core([u.mse])
        points = np.asarray(crux.state.points[0])
        at = {coordinate: points[:, k] for k, coordinate in enumerate((x, y, z))}
        exprs = [u, u.dd(args[0])] if args[0].kind == "coordinate" else [u, u.dd(y)]
        exprs += [pnp.laplacian(x * y * z * u, [x, y, z])]
        for expr in exprs:
            np.testing.assert_allclose(crux.eval(expr), crux.eval(expr, at), rtol=1e-10, atol=1e-12)


def test_the_network_sees_the_axes_only():
    """64 points: products of matrices have 8 rows."""
    x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 64, sampler="grid")
    u = separable(2)(x, y)
    crux = pn.core([pnp.laplacian(u, [x, y]).mse])
    rows = []

    def look(jaxpr):
        for equation in jaxpr.eqns:
            if equation.primitive.name == "tanh":
                rows.append(equation.outvars[0].aval.shape[0])
            for inner in jax.tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "jaxpr")):
                if hasattr(inner, "jaxpr"):
                    look(inner.jaxpr)

    program = crux._compiled.program
    given = program.given(crux.state.params, crux.state.points, lambda *_: None, grids={x.points: (8, 8)})
    look(jax.make_jaxpr(lambda: program.evaluate(program.entries, given))().jaxpr)
    assert rows and set(rows) == {8}


@pytest.mark.parametrize("microbatch", [None, 20])
def test_training_is_that_of_any_network(microbatch):
    def losses(sampler_is_known):
        x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 49, sampler="grid")
        if not sampler_is_known:
            x.points.plan.__dict__["grid"] = None
        u = separable(2)(x, y)
        loss = (pnp.laplacian(u, [x, y]) + pnp.sin(x) * y).mse
        return pn.core([loss], microbatch=microbatch).solve(20, progress=False).history["total"]

    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-9)


def test_points_that_are_no_grid():
    x, y = pn.domain.disk((0, 0), 1).variable("interior", 60, sampler="grid")
    u = separable(2)(x, y)
    crux = pn.core([pnp.laplacian(u, [x, y]).mse])
    points = np.asarray(crux.state.points[0])
    for expr in (u, u.d(x)):
        np.testing.assert_allclose(crux.eval(expr), crux.eval(expr, {x: points[:, 0], y: points[:, 1]}), rtol=1e-10)


def test_errors():
    for wrong in ((0, 1, 3, 4), (2, 0, 3, 4), (2, 1, 0, 4), (2, 1, 3, True)):
        with pytest.raises(FieldError, match="int from 1 on"):
            pn.arch.Separable(*wrong, 1, key=jax.random.key(0))
    x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 64)
    with pytest.raises(FieldError, match="wants 3 numbers"):
        separable(3)(x, y)
    assert jnp.shape(separable(2, 2).module(jnp.zeros(2))) == (2,)
