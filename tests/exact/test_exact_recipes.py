"""Interfaces, soft conditions and unknowns, as users write them: what the numbers are for functions that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn

domain = pn.domain


def test_conditions_at_interfaces_are_jumps_and_fluxes():
    x1 = domain.interval(0, 0.5).variable("interior", 8)
    x2 = domain.interval(0.5, 1).variable("interior", 8)
    scale = pn.parameter(1.0, name="scale").optimizer(optax.sgd(0.0))
    u1, u2 = scale * x1**2, scale * (3 * x2 + 1)
    jump = u1.at({x1: 0.5}) - u2.at({x2: 0.5})
    flux = 2.0 * u1.d(x1).at({x1: 0.5}) - 5.0 * u2.d(x2).at({x2: 0.5})

    inner = domain.disk((0, 0), 0.5).tag("skin")
    outer = domain.disk((0, 0), 1) - inner
    (a, b), (c, d) = inner.variable("interior", 16), outer.variable("interior", 16)
    xs, ys = inner.variable("skin", 16)
    nx, ny = pn.normal(xs, ys)
    v1, v2 = scale * (a**2 + b**2), scale * c * d
    there1, there2 = {a: xs, b: ys}, {c: xs, d: ys}
    meet = v1.at(there1) - v2.at(there2)
    flow = nx * v1.d(a).at(there1) + ny * v1.d(b).at(there1) - nx * v2.d(c).at(there2) - ny * v2.d(d).at(there2)
    # the same by a distance that is free: 1/4 - r^2 over the diameter
    zero = (inner.distance("skin") * scale + 0 * xs).mse
    crux = pn.core([jump**2, flux**2, meet.mse, flow.mse, zero, u1.mse, u2.mse, v1.mse, v2.mse])

    assert crux.eval(jump) == pytest.approx(0.25 - 2.5) and crux.eval(flux) == pytest.approx(2 - 15)
    at = np.stack([crux.eval(xs), crux.eval(ys)], axis=1)
    np.testing.assert_allclose(np.hypot(*at.T), 0.5, rtol=1e-6)
    np.testing.assert_allclose(crux.eval(meet), 0.25 - at[:, 0] * at[:, 1], atol=1e-6)
    np.testing.assert_allclose(crux.eval(flow), 1 - 4 * at[:, 0] * at[:, 1], atol=1e-6)
    assert crux.eval(zero) < 1e-12


def test_unknowns_in_conditions_and_data_are_found():
    """A front, a clock that is late, a sensor that is too strong: each is known from one condition."""
    dom = domain.interval(0, 1).time(0, 1)
    x, t = dom.variable("interior", 16)
    f = x**2 + t
    adam = optax.adam(3e-2)
    place = pn.parameter(0.3, name="place", bounds=(0.01, 0.99)).optimizer(adam)
    late = pn.parameter(0.0, name="late").optimizer(adam)
    gain = pn.parameter(1.0, name="gain", positive=True).optimizer(adam)
    wall = pn.parameter(0.0, name="wall").optimizer(adam)
    xd, td, seen = domain.data(x=[0.1, 0.6, 0.9], t=[0.5, 0.2, 0.7], seen=[1.5 * one for one in (0.71, 0.76, 1.71)])
    fit = (gain * f.at({x: xd, t: td + late}) - seen).mse.named("fit")
    front = (f.at({x: place}) - t - 0.36).mse.named("front")
    held = pn.exact.dirichlet(f, dom, {"left": wall, "right": 2 * wall})
    inside = (held.at({x: 0.0}) - 0.7) ** 2 + (held.at({x: 1.0}) - 1.4) ** 2
    crux = pn.core([fit, front, inside.mean.named("wall"), 1e-9 * (pn.np.log(gain) ** 2 + late**2).named("prior")])
    crux.solve(600, progress=False)
    found = [float(one.value) for one in (place, late, gain, wall)]
    np.testing.assert_allclose(found, [0.6, 0.2, 1.5, 0.7], atol=2e-2)


def test_parameters_get_gradients_through_distances_also_where_these_vanish(x64):
    dom = domain.rectangle((0, 1), (0, 1))
    x, y = dom.variable("interior", 4)
    place = pn.parameter(0.0, name="place").optimizer(optax.sgd(1.0))
    smooth = dom.distance("boundary").at({x: place, y: 0.25})
    sharp = dom.distance("boundary", normalized=True).at({x: place, y: 0.25})
    corner = dom.distance("boundary", normalized=True).at({x: place, y: place})
    crux = pn.core([smooth + 10 * sharp + 100 * corner])
    crux.solve(1, progress=False)
    g = 0.25 * 0.75
    slopes = [g / (g + 0.25), 1.0, 0.0]
    assert float(place.value) == pytest.approx(-(slopes[0] + 10 * slopes[1] + 100 * slopes[2]))


def test_a_smooth_unknown_is_regularised_and_shared_between_losses():
    x = domain.interval(0, 1).variable("interior", 32, sampler="grid")
    xe = domain.interval(0, 1).variable("right")
    c = pn.parameter(jnp.zeros(3), name="c").optimizer(optax.adam(5e-2))

    def kappa(x):
        return 1 + c[0] * x + c[1] * x**2 + c[2] * pn.np.sin(20 * x) / 20

    law = (kappa(x) - 1 - x).mse.named("law")
    smooth = (kappa(x).d(x) ** 2).mean.named("smooth")
    end = (kappa(xe) - 2).mse.named("end")
    crux = pn.core([law, end, 1e-4 * smooth])
    crux.solve(600, progress=False)
    slope = np.asarray(crux.eval(kappa(x).d(x)))
    np.testing.assert_allclose(slope, 1.0, atol=0.2)
    assert jax.tree.leaves(c.value)[0].shape == (3,)
