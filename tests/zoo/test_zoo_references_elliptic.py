"""References between discs and under a lid: boundary values, the equation by other means, more terms."""

from math import pi

import numpy as np
import pytest
from scipy.special import i0

from pinnace import zoo
from pinnace.zoo import lid, multipoles, screened


def relative(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


def circles(discs, count=501):
    turn = np.exp(2j * pi * np.arange(count) / count)
    z = np.concatenate([a + 1j * b + r * turn for a, b, r in discs])
    return z.real, z.imag


def sides(half, count=501):
    s, ones = np.linspace(-half, half, count), np.full(count, half)
    return np.concatenate([s, s, ones, -ones]), np.concatenate([ones, -ones, s, s])


def gaps(discs, half, count, seed=0):
    """Random places, and circles around them that stay between discs and square."""
    x, y = np.random.default_rng(seed).uniform(-0.99 * half, 0.99 * half, (2, count))
    room = np.min([half - np.abs(x), half - np.abs(y), *(np.hypot(x - a, y - b) - r for a, b, r in discs)], axis=0)
    return x[room > 0.02], y[room > 0.02], 0.99 * room[room > 0.02]


def means(function, x, y, radius, count=256):
    """The mean over each circle."""
    turn = np.exp(2j * pi * np.arange(count) / count)
    return function(x[:, None] + radius[:, None] * turn.real, y[:, None] + radius[:, None] * turn.imag).mean(axis=1)


FOUR = [(a, b, 0.1) for a in (-0.3, 0.3) for b in (-0.3, 0.3)]


def test_the_potential_of_four_discs_is_harmonic_and_has_its_boundary_values():
    """The mean over a circle is the value at its centre; with the maximum principle that leaves no other function."""
    x, y, radius = gaps(FOUR, 0.5, 80)
    np.testing.assert_allclose(
        means(multipoles.potential, x, y, radius), multipoles.potential(x, y), rtol=0, atol=1e-13
    )
    np.testing.assert_allclose(multipoles.potential(*circles(FOUR)), 0, atol=zoo.PoissonDiscs.floor)
    np.testing.assert_allclose(multipoles.potential(*sides(0.5)), 1, atol=zoo.PoissonDiscs.floor)


def test_twice_as_many_multipoles_change_nothing():
    x, y, _ = gaps(FOUR, 0.5, 200)
    fine = multipoles.potential(x, y, 2 * multipoles.TERMS)
    np.testing.assert_allclose(multipoles.potential(x, y), fine, rtol=0, atol=zoo.PoissonDiscs.floor)
    assert np.isnan(multipoles.potential(np.array(0.31), np.array(-0.3)))


def test_the_screened_potential_has_its_boundary_values():
    np.testing.assert_allclose(screened.potential(*circles(screened.DISCS)), 1, atol=zoo.PoissonBoltzmann.floor)
    np.testing.assert_allclose(screened.potential(*sides(1.0)), 0.2, atol=1e-14)
    assert np.isnan(screened.potential(np.array(0.4), np.array(-0.1)))


def test_the_screened_potential_solves_its_equation():
    """Means of what is homogeneous grow by I_0(k r); the rest on Chebyshev points of small squares."""
    x, y, radius = gaps(screened.DISCS, 1.0, 40)

    def homogeneous(x, y):
        return screened.potential(x, y) - screened.square(x, y) + 0.2 * screened.constant(x, y)

    grown = homogeneous(x, y) * i0(8 * radius)
    np.testing.assert_allclose(means(homogeneous, x, y, radius), grown, rtol=1e-9, atol=1e-11)

    points, slope = chebyshev(20)
    for a, b in np.random.default_rng(1).uniform(-0.9, 0.8, (5, 2)):
        u = screened.square(a + 0.1 * points[:, None], b + 0.1 * points)
        bend = (slope @ slope @ u + u @ slope.T @ slope.T) / 0.01
        f = 10 * (17 + (a + 0.1 * points[:, None]) ** 2 + (b + 0.1 * points) ** 2)
        f = f * np.sin(pi * (a + 0.1 * points[:, None])) * np.sin(4 * pi * (b + 0.1 * points))
        np.testing.assert_allclose((-bend + 64 * u)[2:-2, 2:-2], f[2:-2, 2:-2], rtol=0, atol=1e-7)


def test_more_orders_change_the_screened_potential_by_no_more_than_its_floor():
    x, y, _ = gaps(screened.DISCS, 1.0, 200)
    fine = screened.potential(x, y, 64)
    np.testing.assert_allclose(screened.potential(x, y), fine, rtol=0, atol=zoo.PoissonBoltzmann.floor)
    finer = screened.constant(x, y, 2 * screened.WAVES)
    np.testing.assert_allclose(screened.constant(x, y), finer, rtol=0, atol=1e-13)


def chebyshev(n):
    """Points on [-1, 1] and the matrix of the derivative there (Trefethen 2000)."""
    x = np.cos(pi * np.arange(n + 1) / n)
    c = np.r_[2, np.ones(n - 1), 2] * (-1.0) ** np.arange(n + 1)
    slope = np.outer(c, 1 / c) / (x[:, None] - x + np.eye(n + 1))
    return x, slope - np.diag(slope.sum(axis=1))


@pytest.fixture(scope="module")
def streams():
    return [lid.stream(100.0, modes) for modes in (lid.MODES, 36)]


X, Y = np.sort(np.random.default_rng(2).uniform(0, 1, (2, 25)))


def test_more_polynomials_change_the_flow_by_no_more_than_its_floor(streams):
    coarse, fine = (lid.velocity(psi, X, Y) for psi in streams)
    assert relative(coarse, fine) < zoo.Cavity.floor
    coarse, fine = (lid.pressure(psi, X, Y, 100.0) for psi in streams)
    assert relative(coarse, fine) < lid.PRESSURE_FLOOR
    steps = lid.pressure(streams[0], X, Y, 100.0, 2 * 32)
    assert relative(coarse, steps) < 1e-8


def test_the_flow_sticks_to_the_walls():
    psi, s = np.random.default_rng(0).normal(size=(5, 5)), np.linspace(0, 1, 41)
    u, v = lid.velocity(psi, s, s)
    np.testing.assert_allclose(u[:, -1], 4 * s * (1 - s), atol=1e-14)
    for part in (u[0], u[-1], u[:, 0], v[0], v[-1], v[:, 0], v[:, -1]):
        np.testing.assert_allclose(part, 0, atol=1e-14)
    assert np.abs(u[5:-5, 5:-5]).min() > 1e-6


def test_the_flow_solves_the_equations_of_navier_and_stokes(streams):
    """By differences of its velocities and pressures; these are integrated upwards, and tested along both axes."""
    x, y, h = 0.1 + 0.8 * X[::4], 0.1 + 0.75 * Y[::4], 0.005

    def at(k, m):
        a, b = x + k * h, y + m * h
        return np.stack([*lid.velocity(streams[1], a, b), lid.pressure(streams[1], a, b, 100.0)])

    middle, ring = at(0, 0), {(k, m): at(k, m) for k in range(-3, 4) for m in range(-3, 4) if (k == 0) != (m == 0)}

    def slope(a, b):
        first, second, third = (ring[k * a, k * b] - ring[-k * a, -k * b] for k in (1, 2, 3))
        return (45 * first - 9 * second + third) / (60 * h)

    def bend(a, b):
        first, second, third = (ring[k * a, k * b] + ring[-k * a, -k * b] for k in (1, 2, 3))
        return (270 * first - 27 * second + 2 * third - 490 * middle) / (180 * h**2)

    (ux, vx, px), (uy, vy, py) = slope(1, 0), slope(0, 1)
    (lap_u, lap_v, _), (u, v, _) = bend(1, 0) + bend(0, 1), middle
    np.testing.assert_allclose(ux + vy, 0, atol=1e-6)
    np.testing.assert_allclose(u * ux + v * uy + px, lap_u / 100, atol=1e-4)
    np.testing.assert_allclose(u * vx + v * vy + py, lap_v / 100, atol=1e-4)
