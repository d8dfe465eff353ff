"""The flow in a square under a lid that moves."""

from dataclasses import dataclass
from math import pi

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo import lid
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting

REYNOLDS = 100.0


@dataclass(frozen=True, kw_only=True)
class Cavity(Problem):
    """The steady equations of Navier and Stokes under a lid, NS2d-C of PINNacle (Hao et al. 2023, arXiv 2306.08827).

    Relative L2 error of (u, v) with the defaults: 3.9e-3, median of 3 seeds, of p 5.1e-3, 34 s of one core; the best
    in PINNacle's table is 2.4e-2. What is singular in the upper corners, Stokes' flow there, is built in.

    >>> Cavity(points=64).losses()
    ('momentum_x', 'momentum_y')
    """

    name = "cavity"
    title = "the flow in a square under a lid that moves"
    equation = (
        "u u_x + v u_y + p_x = (u_xx + u_yy) / Re,  u v_x + v v_y + p_y = (v_xx + v_yy) / Re,  u_x + v_y = 0 on "
        "[0, 1]^2,  u = 4 x (1 - x) at y = 1, else u = v = 0 on the boundary,  p(0, 0) = 0"
    )
    source = "Galerkin's method with clamped Legendre polynomials and Stokes' flow in the corners; Shen 1994"
    floor = lid.FLOOR

    steps: int = setting(6000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    points: int = setting(512, "points where the equations are asked to hold")

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A stream function with the velocities at the walls built in, a pressure, and two losses."""
        dom = pn.domain.rectangle((0, 1), (0, 1))
        x, y = dom.variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(2, 2, self.width, self.depth, jax.numpy.tanh, key=key))
        a, b = net(2 * x - 1, 2 * y - 1)
        psi = lifted(x, 1 - y) + lifted(1 - x, 1 - y) + 16 * (x * (1 - x) * y) ** 2 * (1 - y)
        psi += (16 * x * (1 - x) * y * (1 - y)) ** 2 * a / 10
        p = 4 / REYNOLDS * (pn.np.log(x**2 + (1 - y) ** 2) - pn.np.log((1 - x) ** 2 + (1 - y) ** 2)) + b / 10
        u, v = psi.d(y), -psi.d(x)

        along = u * u.d(x) + v * u.d(y) + p.d(x) - pn.np.laplacian(u, [x, y]) / REYNOLDS
        up = u * v.d(x) + v * v.d(y) + p.d(y) - pn.np.laplacian(v, [x, y]) / REYNOLDS
        losses = [along.mse.named("momentum_x"), up.mse.named("momentum_y")]

        side = np.linspace(0, 1, 65)
        flow = lid.flow(REYNOLDS, len(side)).copy()
        flow[:, [0, -1], -1] = np.nan  # in the upper corners derivatives of the stream function have no value
        places, inner = {x: side, y: side}, {x: side[1:-1], y: side}
        solution = Answer(pn.np.stack([u, v]), np.moveaxis(flow[:2], 0, -1), places, self.floor)
        pressure = Answer(p - p.at({x: 0.0, y: 0.0}), flow[2], places, lid.PRESSURE_FLOOR)
        return Posed(losses, [net], solution, others={"p": pressure}, picture=Answer(u, flow[0, 1:-1], inner))


def lifted(a: pn.Expr, b: pn.Expr) -> pn.Expr:
    """The stream function of Stokes' flow in a corner a, b > 0 under a velocity 4 a along b = 0, faded out to 1."""
    angle = pi / 4 + pn.np.arctan((b - a) / (b + a))  # arctan(b / a), of a number that is never large
    flow = pi * b**2 - 2 * a * b - 2 * (a**2 + b**2) * angle
    return flow * (1 - a) ** 2 * (1 + 2 * a) * (1 - b) ** 2 * (1 + 2 * b)
