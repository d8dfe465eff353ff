"""The references of the oscillator, Helmholtz and Allen-Cahn, against other solvers; what the problems ask."""

from math import pi
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.integrate import solve_ivp

import pinnace as pn
from pinnace import zoo
from pinnace.zoo import allen_cahn, oscillator

SMALL = {"width": 8, "depth": 2, "points": 64}


class Exact(eqx.Module):
    """A function as a network with one parameter."""

    function: Any
    factor: jax.Array

    def __call__(self, point):
        return self.factor * self.function(point)


def relative(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


def fitzhugh_nagumo(u, v, eps):
    return np.array([u - u**3 / 3 - v + 0.5, eps * (u + 0.7 - 0.8 * v)])


def gauss(end, eps, count, steps):
    """u at equidistant instants by the implicit method of Gauss of order 4, iterated to the last digit."""
    root = np.sqrt(3)
    a, h = np.array([[1 / 4, 1 / 4 - root / 6], [1 / 4 + root / 6, 1 / 4]]), end / steps
    y, found = np.array([1.0, 0.0]), [1.0]
    for k in range(1, steps + 1):
        slopes = np.tile(fitzhugh_nagumo(*y, eps), (2, 1))
        for _ in range(12):
            slopes = np.array([fitzhugh_nagumo(*(y + h * row @ slopes), eps) for row in a])
        y = y + h / 2 * slopes.sum(axis=0)
        if k % (steps // (count - 1)) == 0:
            found.append(y[0])
    return np.array(found)


@pytest.mark.parametrize("eps", [0.08, 0.2])
def test_the_oscillator_is_that_of_another_solver(eps):
    coarse, fine = gauss(10, eps, 41, 800), gauss(10, eps, 41, 1600)
    exact = oscillator.exact(10.0, eps, 41)[0]
    assert relative((16 * fine - coarse) / 15, exact) < zoo.Oscillator.floor
    solution = zoo.Oscillator(eps=eps).pose(jax.random.key(0)).solution
    np.testing.assert_allclose(solution.exact[::10], exact, rtol=0, atol=1e-11)
    assert solution.floor == zoo.Oscillator.floor


def test_the_runge_kutta_step_is_the_classical_one():
    """Its weights and nodes satisfy the order conditions: the error of a step is of fifth order."""
    y, eps = (0.3, -0.2), 0.2
    errors = []
    for h in (0.2, 0.1):
        exact = solve_ivp(lambda t, y: fitzhugh_nagumo(*y, eps), (0, h), y, "DOP853", rtol=1e-13, atol=1e-15).y[:, -1]
        errors.append(np.abs(np.array(oscillator.runge_kutta(*y, h, eps)) - exact))
    assert np.log2(errors[0] / errors[1]).min() > 4.7


def test_the_four_losses_of_the_oscillator_differ_by_orders_and_vanish_together():
    case = zoo.Oscillator(steps=1).build(0)
    case.solve()
    first = [case.crux.history[name][0] for name in ("PI_u", "PI_v", "RK4_u", "RK4_v")]
    assert case.posed.names == ("PI_u", "PI_v", "RK4_u", "RK4_v")
    assert max(first) > 1000 * min(first) and max(first) / sorted(first)[-2] > 3
    assert case.posed.solution.found(case.crux)[0] == pytest.approx(1)  # built in
    assert zoo.Oscillator(use_rk4=False).losses() == ("PI_u", "PI_v")


def test_the_oscillator_is_solved():
    case = zoo.Oscillator(steps=500, width=16, points=64, end=2.0).build(0)
    case.solve(progress=False)
    assert case.error < 1e-2


@pytest.mark.parametrize(("a1", "a2", "k"), [(1, 4, 1.0), (2, 3, 5.0)])
def test_the_solution_of_helmholtz_solves_helmholtz(a1, a2, k, x64):
    solution = zoo.Helmholtz(a1=a1, a2=a2, k=k).pose(jax.random.key(0)).solution

    def exact(p):
        return jnp.sin(a1 * pi * p[0]) * jnp.sin(a2 * pi * p[1])

    posed = zoo.Helmholtz(a1=a1, a2=a2, k=k, **SMALL).pose(jax.random.key(0))
    posed.trained[0].module = Exact(exact, jnp.ones(()))
    posed.trained[0].optimizer(optax.adam(1))
    crux = pn.core(posed.losses)
    assert max(float(crux.eval(loss)) for loss in posed.losses) < 1e-18
    side = np.linspace(-1, 1, 129)
    np.testing.assert_allclose(solution.exact[7, 100], exact((side[7], side[100])), atol=1e-13)
    assert np.abs(solution.exact[[0, -1]]).max() < 1e-13 and np.abs(solution.exact[:, [0, -1]]).max() < 1e-13


def test_more_modes_and_instants_change_allen_cahn_by_no_more_than_its_floor():
    exact = allen_cahn.reference()
    modes = allen_cahn.spectral(4096, 1000)[::10, ::16]
    times = allen_cahn.spectral(2048, 2000)[::20, ::8]
    for finer in (modes, times):
        assert relative(finer[1:], exact[1:, :-1]) < zoo.AllenCahn.floor
    x = np.linspace(-1, 1, 257)
    np.testing.assert_array_equal(exact[0], x**2 * np.cos(pi * x))
    np.testing.assert_array_equal(exact[:, 0], exact[:, -1])


def test_allen_cahn_is_that_of_finite_differences():
    """Second order on half the period, whose ends the solution leaves flat; extrapolated from two grids."""
    found = []
    for n in (512, 1024):
        x, h = np.linspace(0, 1, n + 1), 1 / n

        def slope(t, u, h=h):
            padded = np.concatenate([u[1:2], u, u[-2:-1]])
            return 1e-4 * (padded[2:] - 2 * u + padded[:-2]) / h**2 + 5 * (u - u**3)

        start = x**2 * np.cos(pi * x)
        times = [0.1, 0.5, 1.0]
        u = solve_ivp(slope, (0, 1), start, "LSODA", times, rtol=1e-9, atol=1e-9, lband=1, uband=1).y.T
        found.append(u[:, :: n // 128])
    exact = allen_cahn.reference()[[10, 50, 100], 128:]
    assert relative((4 * found[1] - found[0]) / 3, exact) < 2e-5
    assert relative(found[1], exact) < 1e-3


def test_allen_cahn_fits_its_start_and_its_period_before_any_training():
    case = zoo.AllenCahn(**SMALL).build(2)
    found = case.posed.solution.found(case.crux)
    np.testing.assert_allclose(found[0], case.posed.solution.exact[0], atol=1e-6)
    np.testing.assert_allclose(found[:, 0], found[:, -1], atol=1e-6)
    assert zoo.AllenCahn(**SMALL).losses() == ("pde",)
    assert zoo.AllenCahn(conditions="soft", **SMALL).losses() == ("pde", "ic", "bc")
