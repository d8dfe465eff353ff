"""References of what evolves in time, against other methods and finer ones; and what these problems ask."""

from math import pi

import jax
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pinnace import zoo
from pinnace.zoo import etdrk, kdv, kuramoto_sivashinsky, schroedinger


def relative(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


@pytest.mark.parametrize(
    ("module", "problem"), [(kdv, zoo.KdV), (kuramoto_sivashinsky, zoo.KuramotoSivashinsky)], ids=["kdv", "ks"]
)
def test_more_modes_and_instants_change_a_spectral_reference_by_no_more_than_its_floor(module, problem):
    exact = module.reference()
    finer = module.spectral(2 * module.MODES, 2 * module.TIMES)[:, :: 2 * module.MODES // 256]
    assert relative(finer, exact[:, :-1]) < problem.floor
    np.testing.assert_array_equal(exact[:, 0], exact[:, -1])
    assert exact.shape == (101, 257)


def test_kdv_is_that_of_another_integrator():
    """In the frame in which the dispersion rests, by an adaptive method of order 8, with sums free of aliases."""
    modes, kept = 384, np.arange(128)
    k = 1j * pi * kept
    turn = -kdv.DISPERSION * k**3

    def slope(t, v):
        u = np.zeros(modes // 2 + 1, complex)
        u[kept] = np.exp(turn * t) * v
        squared = np.fft.rfft(np.fft.irfft(u, modes, norm="forward") ** 2, norm="forward")[kept]
        return -np.exp(-turn * t) * k / 2 * squared

    times = [0.25, 0.5, 1.0]
    start = np.where(kept == 1, -0.5 + 0j, 0)  # cos(pi x) from x = -1 on
    rows = solve_ivp(slope, (0, 1), start, "DOP853", times, rtol=1e-11, atol=1e-13).y.T
    u = np.zeros((3, 129), complex)
    u[:, kept] = np.exp(turn * np.array(times)[:, None]) * rows
    found = np.fft.irfft(u, 256, norm="forward")
    assert relative(found, kdv.reference()[[25, 50, 100], :-1]) < zoo.KdV.floor


def test_kdv_keeps_its_mass_momentum_and_energy():
    u = kdv.reference()[:, :-1]
    slope = np.fft.irfft(1j * pi * np.arange(129) * np.fft.rfft(u), 256)
    for kept in (u, u**2, u**3 / 6 - kdv.DISPERSION * slope**2 / 2):
        means = kept.mean(axis=1)
        np.testing.assert_allclose(means, means[0], atol=1e-10)


def test_kuramoto_sivashinsky_is_that_of_a_sine_series():
    """Galerkin's method with 40 sines, whose products are sums over a table, and Radau's implicit integrator."""
    n = np.arange(1, 41)
    growth = kuramoto_sivashinsky.GROWTH * (pi * n) ** 2 - kuramoto_sivashinsky.DECAY * (pi * n) ** 4
    # u = sum b_n sin(n pi x): u u_x has the coefficients (m pi / 2) (sum_{j+k=m} b_j b_k / 2 - sum_{j-k=m} b_j b_k)
    j, m = n[:, None], n
    below, above = m - j, m + j

    def slope(t, b):
        padded = np.concatenate([[0], b, np.zeros(len(b))])
        sums = b @ np.where(below > 0, padded[np.maximum(below, 0)], 0)
        differences = b @ padded[above]
        return growth * b - kuramoto_sivashinsky.CONVECTION * m * pi / 2 * (sums / 2 - differences)

    times = [0.1, 0.3, 0.6, 1.0]
    rows = solve_ivp(slope, (0, 1), -1.0 * (n == 1), "Radau", times, rtol=1e-9, atol=1e-11).y.T
    found = rows @ np.sin(pi * n[:, None] * np.linspace(-1, 1, 257))
    exact = kuramoto_sivashinsky.reference()[[10, 30, 60, 100]]
    assert relative(found, exact) < 1e-6
    np.testing.assert_allclose(exact, -exact[:, ::-1], atol=1e-11)  # odd, as the problem says


def split(modes, steps, rows):
    """Schroedinger's equation by splitting of order 4: both parts solved exactly, in three steps of Strang."""
    w = pi / schroedinger.HALF * np.fft.fftfreq(modes, 1 / modes)
    h, dt = np.fft.ifft(schroedinger.coefficients(modes)), schroedinger.END / steps
    first = 1 / (2 - 2 ** (1 / 3))
    parts = [(part * dt, np.exp(-0.5j * w**2 * part * dt)) for part in (first, 1 - 2 * first, first)]
    found = [h]
    for step in range(1, steps + 1):
        for part, free in parts:
            h = h * np.exp(0.5j * part * np.abs(h) ** 2)
            h = np.fft.ifft(free * np.fft.fft(h))
            h = h * np.exp(0.5j * part * np.abs(h) ** 2)
        if step % (steps // rows) == 0:
            found.append(h)
    return np.array(found)


def test_schroedinger_is_that_of_a_splitting_and_of_more_modes_and_instants():
    exact = schroedinger.reference()
    finer = schroedinger.spectral(2 * schroedinger.MODES, 2 * schroedinger.TIMES)[:, :: 2 * schroedinger.MODES // 256]
    assert relative(finer, exact[:, :-1]) < zoo.Schroedinger.floor
    other = split(1024, 2500, 4)[:, ::4]
    assert relative(other, exact[::25, :-1]) < zoo.Schroedinger.floor
    mass = (np.abs(exact[:, :-1]) ** 2).mean(axis=1)
    np.testing.assert_allclose(mass, mass[-1], rtol=1e-5)


def test_on_the_whole_line_the_breather_is_known():
    """2 sech x, of two solitons at rest (Satsuma and Yajima 1974); the ends of [-5, 5] change little in its middle."""
    x, t = np.linspace(-1, 1, 33), np.linspace(0, pi / 2, 101)[:, None]
    top = 4 * np.exp(0.5j * t) * (np.cosh(3 * x) + 3 * np.exp(4j * t) * np.cosh(x))
    known = top / (np.cosh(4 * x) + 4 * np.cosh(2 * x) + 3 * np.cos(4 * t))
    places = np.isclose(np.linspace(-5, 5, 257)[:, None], np.linspace(-5, 5, 257)).any(axis=1)
    assert places.all()
    exact = schroedinger.spectral(1280, 1000)[:, 512:769:8]
    assert relative(exact, known) < 5e-2


def test_the_exponential_method_is_of_fourth_order():
    def error(steps):
        rows = etdrk.march(np.array([-3.0, 2j]), lambda u: u[::-1] * u, np.array([0.5 + 0j, 1]), 1.0, steps)
        return rows[-1]

    fine = error(640)
    errors = [np.abs(error(steps) - fine).max() for steps in (20, 40)]
    assert 3.7 < np.log2(errors[0] / errors[1]) < 4.3


def test_the_exact_solutions_are_those_of_the_equations(x64):
    """By differentiation, at random points."""
    random = np.random.default_rng(0).uniform(0.1, 0.9, (20, 4))

    def holds(residual):
        assert max(abs(float(residual(*map(float, point)))) for point in random) < 1e-9

    def d(f, *axes):
        for axis in axes:
            f = jax.grad(f, axis)
        return f

    wave = zoo.wave.exact
    holds(lambda x, t, *_: d(wave, 1, 1)(x, t) - 4 * d(wave, 0, 0)(x, t))
