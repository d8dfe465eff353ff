"""The flow in a square under a lid that moves."""

from dataclasses import dataclass

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

    >>> case = Cavity(steps=5, points=64).build(seed=0)
    >>> case.solve().steps
    5
    """

    name = "cavity"
    title = "the flow in a square under a lid that moves"
    equation = (
        "u u_x + v u_y + p_x = (u_xx + u_yy) / Re,  u v_x + v v_y + p_y = (v_xx + v_yy) / Re,  u_x + v_y = 0 on "
        "[0, 1]^2,  u = 4 x (1 - x) at y = 1, else u = v = 0 on the boundary,  p(0, 0) = 0"
    )
    source = "Galerkin's method with clamped Legendre polynomials and Stokes' flow in the corners; Shen 1994"
    floor = lid.FLOOR

    steps: int = setting(10_000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    points: int = setting(512, "points where the equations are asked to hold")

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A network of three outputs with the velocities at the walls built in, and three losses."""
        dom = pn.domain.rectangle((0, 1), (0, 1))
        x, y = dom.variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(2, 3, self.width, self.depth, jax.numpy.tanh, key=key))
        a, b, p = net(2 * x - 1, 2 * y - 1)
        inside = 16 * x * (1 - x) * y * (1 - y)
        u, v = 4 * x * (1 - x) * y**3 + inside * a, inside * b

        viscosity = 1 / REYNOLDS
        along = u * u.d(x) + v * u.d(y) + p.d(x) - viscosity * pn.np.laplacian(u, [x, y])
        up = u * v.d(x) + v * v.d(y) + p.d(y) - viscosity * pn.np.laplacian(v, [x, y])
        losses = [along.mse.named("momentum_x"), up.mse.named("momentum_y"), (u.d(x) + v.d(y)).mse.named("mass")]

        side = np.linspace(0, 1, 65)
        flow = lid.flow(REYNOLDS, len(side))
        places = {x: side, y: side}
        solution = Answer(pn.np.stack([u, v]), np.moveaxis(flow[:2], 0, -1), places, self.floor)
        pressure = Answer(p - p.at({x: 0.0, y: 0.0}), flow[2], places, lid.PRESSURE_FLOOR, label="p")
        return Posed(losses, [net], solution, others={"p": pressure}, picture=Answer(u, flow[0], places, self.floor))
