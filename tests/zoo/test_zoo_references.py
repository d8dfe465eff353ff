"""References are as good as the problems say, against solutions found in another way."""

from decimal import Decimal, getcontext
from math import pi

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pinnace import zoo
from pinnace.zoo import cole_hopf

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
MODES = 260


def _series(angle: Decimal, first: int) -> Decimal:
    """sin (first = 1) or cos (first = 0) by its power series."""
    term = angle if first else Decimal(1)
    total, k = Decimal(0), first
    while abs(term) > Decimal(10) ** -95:
        total += term
        k += 2
        term *= -angle * angle / (k * (k - 1))
    return total


def _bessel(z: Decimal) -> list[Decimal]:
    """The modified Bessel functions I_0(z), ..., I_MODES(z) by their power series."""
    found, start = [], Decimal(1)
    for n in range(MODES + 1):
        start = start * (z / 2) / n if n else start
        term, total, k = start, Decimal(0), 0
        while term > start * Decimal(10) ** -95:
            total += term
            k += 1
            term *= (z / 2) ** 2 / (k * (n + k))
        found.append(total)
    return found


def fourier(points, nu):
    """Burgers' equation by the Fourier series of Cole's heat equation, with 100 digits: no quadrature at all.

    phi_t = nu phi_xx with phi(x, 0) = exp(-cos(pi x) / (2 pi nu)) = I_0 + 2 sum (-1)^n I_n cos(n pi x), and
    u = -2 nu phi_x / phi. At t = 0 the series sums to e^-50 from terms of e^50: hence the digits.
    """
    getcontext().prec = 100
    nu = Decimal(nu)
    bessel = _bessel(1 / (2 * PI * nu))
    found = []
    for x, t in points:
        x, t = Decimal(x), Decimal(t)
        above = below = Decimal(0)
        cos, sin = _series(PI * x, 0), _series(PI * x, 1)
        c, s = Decimal(1), Decimal(0)
        for n, coefficient in enumerate(bessel):
            decayed = (-1) ** n * coefficient * (-nu * t * (n * PI) ** 2).exp()
            above += 4 * nu * PI * n * decayed * s
            below += (2 if n else 1) * decayed * c
            c, s = c * cos - s * sin, s * cos + c * sin
        found.append(float(above / below))
    return np.array(found)


@pytest.mark.parametrize("nu", [0.01 / pi, 0.02, 0.1])
def test_cole_hopf_is_the_fourier_series(nu):
    random = np.random.default_rng(0)
    spread = [(x, t) for x, t in zip(random.uniform(-1, 1, 8), random.uniform(0, 1, 8), strict=True)]
    shock = [(0.001, 0.5), (-0.004, 1.0), (0.02, 0.4), (0.5, 1e-4), (0.999, 0.9)]
    points = np.array(spread + shock)
    exact = fourier(points, nu)
    found = cole_hopf.burgers(points[:, 0], points[:, 1], nu)
    np.testing.assert_allclose(found, exact, rtol=0, atol=5e-13)


def test_cole_hopf_begins_with_the_sine_and_ends_on_zero():
    x = np.linspace(-1, 1, 101)
    np.testing.assert_allclose(cole_hopf.burgers(x, np.array(0.0), 0.01), -np.sin(pi * x), atol=1e-15)
    t = np.linspace(0, 1, 11)
    for end in (-1.0, 0.0, 1.0):
        np.testing.assert_allclose(cole_hopf.burgers(np.array(end), t, 0.01 / pi), 0, atol=1e-12)


@pytest.mark.parametrize("nu", [6.5e-4, 1e-3, 0.01 / pi, 0.02, 0.1, 0.35])
def test_more_nodes_change_cole_hopf_by_no_more_than_its_floor(nu):
    x, t = np.linspace(-1, 1, 41)[:, None], np.linspace(0, 1, 21)
    fine = cole_hopf.burgers(x, t, nu, 300)
    change = np.linalg.norm(cole_hopf.burgers(x, t, nu) - fine) / np.linalg.norm(fine)
    assert change <= 2 * cole_hopf.floor(nu)


@pytest.mark.parametrize("nu", [1e-5, 1e-4, 5e-4, 0.7])
def test_a_viscosity_without_a_good_reference_is_refused(nu):
    with pytest.raises(zoo.SettingError, match="out of the range"):
        cole_hopf.floor(nu)


def test_the_stated_floor_is_that_of_the_default():
    for problem in (zoo.Burgers(), zoo.BurgersInverse()):
        assert cole_hopf.floor(problem.nu) <= problem.floor
        assert problem.pose(jax.random.key(0)).solution.floor <= problem.floor


@pytest.mark.parametrize("frequency", [1, 3])
def test_the_solution_of_poisson_solves_poisson(frequency, x64):
    k = frequency * pi

    def exact(p):
        return jnp.sin(k * p[0]) * jnp.sin(k * p[1])

    points = jax.random.uniform(jax.random.key(0), (50, 2))
    laplacian = jax.vmap(lambda p: jnp.trace(jax.hessian(exact)(p)))(points)
    source = 2 * k**2 * jax.vmap(exact)(points)
    np.testing.assert_allclose(-laplacian, source, atol=1e-11)

    solution = zoo.Poisson(frequency=frequency).pose(jax.random.key(0)).solution
    side = np.linspace(0, 1, 129)
    np.testing.assert_allclose(solution.exact[7, 100], exact((side[7], side[100])), atol=1e-14)
    assert np.abs(solution.exact[[0, -1]]).max() < 1e-14
    assert np.abs(solution.exact[:, [0, -1]]).max() < 1e-14


def test_the_viscosity_cannot_be_known_better_than_the_problem_says():
    """Cramer and Rao: the variance is at least sigma^2 / sum (du/dnu)^2."""
    nu, bounds = 0.02, []
    for seed in range(5):
        x, t = np.random.default_rng(seed).uniform([[-1], [0]], 1, (2, 200))
        slope = (cole_hopf.burgers(x, t, nu * 1.001) - cole_hopf.burgers(x, t, nu * 0.999)) / (0.002 * nu)
        bounds.append(0.01 * cole_hopf.burgers(x, t, nu).std() / np.linalg.norm(slope) / nu)
    assert 0.004 < min(bounds) and max(bounds) < 0.006
