"""The losses of what evolves vanish at the solutions that the problems compare with, and conditions hold exactly."""

from math import pi
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import zoo
from pinnace.zoo import advection_diffusion, heat_anisotropic, kdv, kuramoto_sivashinsky, schroedinger, volterra, wave

SMALL = {"width": 8, "depth": 1, "points": 64}
INSTANT = 0.35
"""Around it references are continued between their instants."""


class Exact(eqx.Module):
    """A function as a network with one parameter."""

    function: Any
    factor: jax.Array

    def __call__(self, point):
        return self.factor * self.function(point)


def continued(rows, times, half):
    """Rows of one period at a few instants as a function of place and time: Fourier and Lagrange."""
    count = rows.shape[1]
    k = np.fft.fftfreq(count, 1 / count)
    coefficients = np.fft.fft(rows) / count * (-1.0) ** k  # the first place is -half
    keep = np.abs(k) < min(count / 2, 100)

    def at(x, t):
        weights = [
            jnp.prod(jnp.array([(t - other) / (time - other) for other in times if other != time])) for time in times
        ]
        here = sum(weight * row for weight, row in zip(weights, jnp.asarray(coefficients[:, keep]), strict=True))
        return here @ jnp.exp(1j * pi / half * k[keep] * x)

    return at


def around(module, end, half):
    """A reference near INSTANT, from 9 of its rows."""
    rows, instants = module.spectral(module.MODES, module.TIMES), np.linspace(0, end, 101)
    first = np.searchsorted(instants, INSTANT) - 4
    return continued(rows[first : first + 9], instants[first : first + 9], half)


def of_advection():
    def raw(p):
        x, t = jnp.arctan2(p[1], p[0]), (p[2] + 1) / 2
        return (jnp.sin(x - 30 * t) - jnp.sin(x)) / jnp.tanh(10 * t)

    return raw


def of_wave():
    def raw(p):
        x, t = jnp.arccos(p[0]) / pi, jnp.arccos(p[2]) / 3
        return (wave.exact(x, t) - wave.exact(x, 0.0)) / (jnp.tanh(8 * t) ** 2 * jnp.sin(pi * x))

    return raw


def of_advection_diffusion():
    def raw(p):
        x, t, a, k = jnp.arctan2(p[1], p[0]) / pi, (p[2] + 1) / 2, p[3], 0.055 + 0.045 * p[4]
        return (advection_diffusion.exact(x, t, a, k) - advection_diffusion.exact(x, 0.0, a, k)) / t

    return raw


def of_volterra():
    def raw(p):
        x = 2.5 * (p[0] + 1)
        return (volterra.exact(x) - 1) / jnp.tanh(x)

    return raw


def of_heat_anisotropic():
    def raw(p):
        x, y, t = (p[0] + 1) / 2, (p[3] + 1) / 2, 2.5 * (p[4] + 1)
        inside = jnp.tanh(10 * x) * jnp.tanh(10 * (1 - x)) * 4 * y * (1 - y)
        rate = -(20**2 / 500**2 + 1)
        return heat_anisotropic.start(x, y) * jnp.expm1(rate * t) / (jnp.tanh(t) * inside)

    return raw


def of_kdv():
    field = around(kdv, 1.0, 1.0)

    def raw(p):
        x, t = jnp.arctan2(p[1], p[0]) / pi, (p[-1] + 1) / 2
        return (field(x, t).real - jnp.cos(pi * x)) / t

    return raw


def of_kuramoto_sivashinsky():
    field = around(kuramoto_sivashinsky, 1.0, 1.0)

    def raw(p):
        x, t = jnp.arccos(p[0]) / pi, (p[-1] + 1) / 2
        return (field(x, t).real / -jnp.sin(pi * x) - 1) / jnp.tanh(5 * t)

    return raw


def of_schroedinger():
    end, half = schroedinger.END, schroedinger.HALF
    field = around(schroedinger, end, half)

    def raw(p):
        x, t = jnp.arccos(p[0]) * half / pi, (p[-1] + 1) / 2 * end
        sech = schroedinger.sech
        h = field(x, t)
        beside = 2 * jnp.tanh(10 * t) * (sech(x - 2 * half) + sech(x + 2 * half))
        return jnp.stack([(h.real - 2 * sech(x) - beside) / t, h.imag / t])

    return raw


SOLUTIONS = {
    "heat_anisotropic": of_heat_anisotropic,
    "advection": of_advection,
    "wave": of_wave,
    "advection_diffusion": of_advection_diffusion,
    "volterra": of_volterra,
}


@pytest.mark.parametrize("name", SOLUTIONS)
def test_the_losses_vanish_at_the_solution(name, x64):
    posed = zoo.by_name(name)(**SMALL).pose(jax.random.key(0))
    posed.trained[0].module = Exact(SOLUTIONS[name](), jnp.ones(()))
    posed.trained[0].optimizer(optax.adam(1))
    crux = pn.core(posed.losses)
    assert float(crux.eval(sum(posed.losses))) < 1e-16


CONTINUED = {
    "kdv": (of_kdv, 1.0, 1e-5),
    "kuramoto_sivashinsky": (of_kuramoto_sivashinsky, 1.0, 1e-5),
    "schroedinger": (of_schroedinger, schroedinger.HALF, 3e-2),
}
"""What is solved at a reference that is continued between its instants, and how large a residual that leaves."""


@pytest.mark.parametrize("name", CONTINUED)
def test_the_losses_are_small_at_the_reference(name, x64):
    solution, half, left = CONTINUED[name]
    posed = zoo.by_name(name)(**SMALL).pose(jax.random.key(0))
    posed.trained[0].module = Exact(solution(), jnp.ones(()))
    posed.trained[0].optimizer(optax.adam(1))
    crux = pn.core(posed.losses)
    t, x = posed.solution.points
    values = {x: half * np.array([0.13, 0.4, 0.71]), t: np.full(3, INSTANT + 0.003)}
    assert float(crux.eval(sum(posed.losses), values)) < left**2


@pytest.mark.parametrize(
    "name", ["advection", "heat_anisotropic", "kdv", "kuramoto_sivashinsky", "schroedinger", "wave"]
)
def test_the_start_and_the_ends_hold_before_any_training(name):
    case = zoo.by_name(name)(**SMALL).build(2)
    solution = case.posed.solution
    found = solution.found(case.crux)  # time is the first axis, x the last one of the grid
    np.testing.assert_allclose(found[0], solution.exact[0], atol=1e-5)
    across = 2 if name == "heat_anisotropic" else 1
    first, last = np.take(found, 0, axis=across), np.take(found, -1, axis=across)
    np.testing.assert_allclose(first, last, atol=1e-5)
    if name in ("heat_anisotropic", "wave"):
        np.testing.assert_allclose(first, 0, atol=1e-6)
    assert np.abs(found[-1] - found[0]).max() > 1e-3


def test_the_wave_starts_at_rest():
    case = zoo.Wave(**SMALL).build(0)
    t, x = case.posed.solution.points
    slope = case.crux.eval(case.posed.solution.expr.d(t), {x: np.linspace(0, 1, 9), t: 0.0})
    np.testing.assert_allclose(slope, 0, atol=1e-6)


def test_no_time_beyond_the_reference_is_followed():
    t, _ = zoo.KuramotoSivashinsky(end=0.3, **SMALL).pose(jax.random.key(0)).solution.points.values()
    np.testing.assert_allclose(t, np.linspace(0, 0.3, 31))
    with pytest.raises(zoo.SettingError, match=r"at most 1; got 1\.5"):
        zoo.KuramotoSivashinsky(end=1.5)
