"""Solutions that were chosen first: they solve the equations that are asked, all losses together."""

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

SMALL = {"width": 8, "depth": 1, "points": 64}


class Exact(eqx.Module):
    """A function as a network with one parameter."""

    function: Any
    factor: jax.Array

    def __call__(self, point):
        return self.factor * self.function(point)


def losses_of(problem, *functions):
    """The losses where the networks are these functions, and the relative L2 errors of all answers."""
    posed = problem.pose(jax.random.key(0))
    for net, function in zip(posed.trained, functions, strict=True):
        net.module = Exact(function, jnp.ones(()))
        net.optimizer(optax.adam(1))
    crux = pn.core(posed.losses)
    answers = {"": posed.solution, **posed.others, **({"picture": posed.picture} if posed.picture else {})}
    return {name: float(crux.eval(loss)) for name, loss in zip(posed.names, posed.losses, strict=True)}, {
        name: answer.error(crux) for name, answer in answers.items()
    }


def test_the_solution_in_five_dimensions_solves_poisson(x64):
    losses, errors = losses_of(zoo.Poisson5D(**SMALL), lambda p: jnp.sum(jnp.sin(pi / 2 * p)))
    assert max(losses.values()) < 1e-24 and max(errors.values()) < 1e-14


def test_the_solution_in_the_ball_solves_the_heat_equation(x64):
    def network(p):  # what is left beside the initial values, by a series where t is small
        t = (p[5] + 1) / 2
        growth = sum(t**k / np.prod(np.arange(1.0, k + 2)) for k in range(25))
        return jnp.exp(jnp.sum(p[:5] ** 2) / 2) * growth

    losses, errors = losses_of(zoo.HeatBall(**SMALL), network)
    assert max(losses.values()) < 1e-24 and max(errors.values()) < 1e-14


def test_the_coefficient_of_poisson_is_the_one_that_is_sought(x64):
    problem = zoo.PoissonInverse(noise=0, **SMALL)

    def coefficient(x, y):
        return 1 / (1 + x**2 + y**2 + (x - 1) ** 2 + (y - 1) ** 2)

    def potential(p):
        return jnp.sin(pi * (p[0] + 1) / 2) * jnp.sin(pi * (p[1] + 1) / 2)

    def network(p):
        x, y = (p + 1) / 2
        between = (1 - x) * coefficient(0, y) + x * coefficient(1, y) + (1 - y) * coefficient(x, 0)
        between += y * coefficient(x, 1) - 1 / 3
        return (coefficient(x, y) - between) / (4 * x * (1 - x) * y * (1 - y))

    losses, errors = losses_of(problem, potential, network)
    assert losses["pde"] < 1e-20 and losses["data"] < 1e-28
    assert errors["u"] < 1e-14
    inside = problem.pose(jax.random.key(0)).solution.exact[1:-1, 1:-1]
    side = np.linspace(0, 1, 65)[1:-1]
    np.testing.assert_allclose(inside, coefficient(side[:, None], side))


def test_the_conductivity_of_the_heat_equation_is_the_one_that_is_sought(x64):
    def temperature(p):
        return jnp.exp(-(p[2] + 1) / 2) * jnp.sin(pi * p[0]) * jnp.sin(pi * p[1])

    def network(p):
        return jnp.sin(pi * p[0]) * jnp.sin(pi * p[1]) / ((1 - p[0] ** 2) * (1 - p[1] ** 2))

    losses, errors = losses_of(zoo.HeatInverse(noise=0, **SMALL), temperature, network)
    assert losses["pde"] < 1e-20 and losses["data"] < 1e-28 and errors["u"] < 1e-14


@pytest.mark.parametrize("name", ["poisson_inverse", "heat_inverse"])
def test_the_noise_is_that_which_was_asked_for(name):
    quiet, noisy = (zoo.by_name(name)(noise=noise, **SMALL).pose(jax.random.key(1)) for noise in (0, 0.1))
    (column,) = {posed.losses[1].points for posed in (quiet,)} or [None]
    first, second = (np.asarray(data_of(posed.losses[1]))[:, -1] for posed in (quiet, noisy))
    assert column is None and len(first) == 2500
    assert np.std(second - first) / np.std(first) == pytest.approx(0.1, rel=0.05)


def data_of(expr):
    """The table of the measurements in a loss."""
    stack = [expr]
    while stack:
        node = stack.pop()
        stack.extend(node.args)
        if node.points is not None and node.points.label == "the data":
            return node.points.plan.table
    raise AssertionError("no data")


@pytest.mark.parametrize("name", ["poisson_inverse", "cavity", "poisson_discs", "poisson_boltzmann"])
def test_boundary_values_hold_before_any_training(name):
    case = zoo.by_name(name)(**SMALL).build(3)
    found, exact = case.posed.solution.found(case.crux), case.posed.solution.exact
    for edge in (np.s_[0, 1:-1], np.s_[-1, 1:-1], np.s_[1:-1, 0], np.s_[1:-1, -1]):
        np.testing.assert_allclose(found[edge], exact[edge], atol=2e-5)
    inside = np.abs(found - exact)[5:-5, 5:-5]
    assert np.nanmax(inside) > 1e-3


@pytest.mark.parametrize(("name", "x", "y", "value"), [("discs", 0.3, -0.2, 0.0), ("boltzmann", -0.6, 0.8, 1.0)])
def test_circles_have_their_values_before_any_training(name, x, y, value):
    case = zoo.by_name(f"poisson_{name}")(**SMALL).build(1)
    found = case.crux.eval(case.posed.solution.expr, dict(zip(case.posed.solution.points, (x, y), strict=True)))
    assert float(found) == pytest.approx(value, abs=1e-5)
