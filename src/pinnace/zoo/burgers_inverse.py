"""The viscosity in Burgers' equation, from noisy measurements of its solution."""

from dataclasses import dataclass
from math import pi

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo import cole_hopf
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting


@dataclass(frozen=True, kw_only=True)
class BurgersInverse(Problem):
    """The viscosity in Burgers' equation from 200 noisy points.

    With the defaults no unbiased method finds it better than to 0.5 % (standard deviation; Cramer and Rao's bound, 0.4
    to 0.6 % over where the points fall). For nu = 0.01 / pi the bound is 1.1 to 1.8 %: only the points in the shock
    know it.

    >>> BurgersInverse(points=64).losses()
    ('pde', 'data')
    """

    name = "burgers_inverse"
    title = "the viscosity in Burgers' equation from noisy points"
    equation = (
        "u_t + u u_x = nu u_xx with nu unknown,  u(x, 0) = -sin(pi x),  u(-1, t) = u(1, t) = 0,  u(x_i, t_i) = u_i"
    )
    source = "data: exact by Cole-Hopf with Gauss-Hermite quadrature, and noise"
    floor = 1e-15
    draws_data = True

    steps: int = setting(8000, "steps of the optimizer")
    rate: float = setting(1e-2, "learning rate at the first step; falls by a cosine to a thousandth")
    points: int = setting(1024, "points where the equation is asked to hold")
    nu: float = setting(0.02, "the viscosity that is to be found")
    guess: float = setting(0.1, "the viscosity that the search starts from")
    measurements: int = setting(200, "measured points")
    noise: float = setting(0.01, "standard deviation of the noise over that of the solution", zero=True)

    damping: float = setting(0.1, "how much a steep slope damps the residual: r / (1 + damping |u_x|)", zero=True)

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A field with the known conditions built in, one unknown number, and two losses."""
        network, where, noise = jax.random.split(key, 3)
        dom = pn.domain.interval(-1, 1).time(0, 1)
        x, t = dom.variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(2, "scalar", self.width, self.depth, jax.numpy.tanh, key=network))
        nu = pn.parameter(self.guess, name="nu", positive=True)

        u = -pn.np.sin(pi * x) + t * (1 - x**2) * net(x, t)
        residual = u.d(t) + u * u.d(x) - nu * u.dd(x)
        pde = (residual / (1 + self.damping * abs(u.d(x)))).mse.named("pde")

        place = np.asarray(jax.random.uniform(where, (2, self.measurements)), float)
        xs, ts = 2 * place[0] - 1, place[1]
        us = cole_hopf.burgers(xs, ts, self.nu)
        us += self.noise * us.std() * np.asarray(jax.random.normal(noise, us.shape), float)
        xd, td, seen = pn.domain.data(x=xs, t=ts, u_seen=us)
        misfit = (u.at({x: xd, t: td}) - seen).mse.named("data")

        ts, xs = np.linspace(0, 1, 101), np.linspace(-1, 1, 257)
        floor = cole_hopf.floor(self.nu)
        solution = Answer(u, cole_hopf.burgers(xs, ts[:, None], self.nu), {t: ts, x: xs}, floor)
        return Posed([pde, misfit], [net, nu], solution, {"nu": Answer(nu, np.asarray(self.nu))})
