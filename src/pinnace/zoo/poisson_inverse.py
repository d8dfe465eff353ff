"""A conductivity that is an unknown function of place, from noisy measurements of the potential."""

from dataclasses import dataclass
from math import pi
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting


@dataclass(frozen=True, kw_only=True)
class PoissonInverse(Problem):
    """The coefficient of Poisson's equation from 2500 noisy points, PInv of PINNacle (arXiv 2306.08827).

    PINNacle's noise is 0.1. Relative L2 error of a with the defaults: 1.2e-2, median of 5 seeds (0.9e-2 to 1.6e-2), of
    u 4.4e-3; 16 s of one core.

    >>> PoissonInverse(points=64).losses()
    ('pde', 'data')
    """

    name = "poisson_inverse"
    title = "the coefficient of Poisson's equation, a function of place, from noisy points"
    equation = "-div(a grad u) = f on [0, 1]^2 with a unknown,  a known on the boundary,  u(x_i, y_i) = u_i"
    source = "manufactured: u = sin(pi x) sin(pi y), a = 1 / (1 + x^2 + y^2 + (x - 1)^2 + (y - 1)^2), and noise"
    floor = 1e-15
    draws_data = True

    steps: int = setting(5000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    depth: int = setting(3, "hidden layers")
    points: int = setting(512, "points where the equation is asked to hold")
    measurements: int = setting(50, "measured points along each axis")
    noise: float = setting(0.01, "standard deviation of the noise over that of the solution", zero=True)

    def pose(self, key: Key[Array, ""]) -> Posed:
        """Two networks, the second with the boundary values built in, and two losses."""
        first, second, noise = jax.random.split(key, 3)
        x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", self.points, resample=1)
        net, other = (
            pn.nn(eqx.nn.MLP(2, "scalar", self.width, self.depth, jax.numpy.tanh, key=one), name=name)
            for one, name in ((first, "u"), (second, "a"))
        )
        u = net(2 * x - 1, 2 * y - 1)
        a = between(x, y) + 4 * x * (1 - x) * y * (1 - y) * other(2 * x - 1, 2 * y - 1)
        flux = (a * u.d(x)).d(x) + (a * u.d(y)).d(y)
        pde = ((flux + source(x, y)) / pi**2).mse.named("pde")

        side = np.linspace(0, 1, self.measurements)
        xs, ys = (part.ravel() for part in np.meshgrid(side, side))
        us = potential(xs, ys, np)
        us += self.noise * us.std() * np.asarray(jax.random.normal(noise, us.shape), float)
        xd, yd, seen = pn.domain.data(x=xs, y=ys, u_seen=us)
        misfit = (u.at({x: xd, y: yd}) - seen).mse.named("data")

        side = np.linspace(0, 1, 65)
        places, grid = {x: side, y: side}, (side[:, None], side)
        found = Answer(a, coefficient(*grid), places, label="a")
        return Posed([pde, misfit], [net, other], found, others={"u": Answer(u, potential(*grid, np), places)})


def coefficient(x: Any, y: Any) -> Any:
    """a, of numbers and of expressions alike.

    >>> coefficient(0.0, 1.0)
    0.3333333333333333
    """
    return 1 / (1 + x**2 + y**2 + (x - 1) ** 2 + (y - 1) ** 2)


def potential(x: Any, y: Any, of: Any = pn.np) -> Any:
    """u, by the functions `of` pn.np or NumPy."""
    return of.sin(pi * x) * of.sin(pi * y)


def source(x: Any, y: Any) -> pn.Expr:
    """f. That of PINNacle's program has 2 x + 1 and 2 y + 1 in place of 2 x - 1 and 2 y - 1, which fits no such a."""
    a, sin, cos = coefficient(x, y), pn.np.sin, pn.np.cos
    slopes = (2 * x - 1) * cos(pi * x) * sin(pi * y) + (2 * y - 1) * sin(pi * x) * cos(pi * y)
    return 2 * pi**2 * a * potential(x, y) + 2 * pi * a**2 * slopes


def between(x: Any, y: Any) -> Any:
    """What lies between the values of a on the boundary (Coons)."""
    sides = (1 - x) * coefficient(0, y) + x * coefficient(1, y) + (1 - y) * coefficient(x, 0) + y * coefficient(x, 1)
    return sides - coefficient(0, 0)  # at all four corners
