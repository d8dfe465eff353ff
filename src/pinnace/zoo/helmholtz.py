"""Helmholtz' equation, with a solution that was chosen first and a boundary that is easily forgotten."""

from dataclasses import dataclass
from math import pi

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting


@dataclass(frozen=True, kw_only=True)
class Helmholtz(Problem):
    """Helmholtz' equation on a square; the residual begins at 7e3, the boundary loss at 1e-3.

    Relative L2 error with the defaults: 1.4e-2, median of 3 seeds, 12 s on two cores; without weights 0.4.

    >>> Helmholtz(points=64).losses()
    ('pde', 'bc')
    """

    name = "helmholtz"
    title = "Helmholtz' equation on the square"
    equation = "u_xx + u_yy + k^2 u = q(x, y) on [-1, 1]^2,  u = 0 on the boundary"
    source = "manufactured: u = sin(a1 pi x) sin(a2 pi y), of Wang, Teng, Perdikaris 2021, arXiv 2001.04536"
    floor = 1e-15

    steps: int = setting(6000, "steps of the optimizer")
    rate: float = setting(1e-2, "learning rate at the first step; falls by a cosine to a thousandth")
    balancer: str = setting("fixed(weights=[1, 1000])", 'balancer of the losses, such as "relobralo" or "none"')
    points: int = setting(1024, "points where the equation is asked to hold")
    k: float = setting(1.0, "wave number")
    a1: int = setting(1, "half waves along x on [0, 1]")
    a2: int = setting(4, "half waves along y on [0, 1]")

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A network and two losses."""
        dom = pn.domain.rectangle((-1, 1), (-1, 1))
        x, y = dom.variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(2, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))

        u = net(x, y)
        wave = pn.np.sin(self.a1 * pi * x) * pn.np.sin(self.a2 * pi * y)
        source = (self.k**2 - (self.a1**2 + self.a2**2) * pi**2) * wave
        pde = (pn.np.laplacian(u, [x, y]) + self.k**2 * u - source).mse.named("pde")
        xb, yb = dom.variable("boundary", 256)
        bc = net(xb, yb).mse.named("bc")

        side = np.linspace(-1, 1, 129)
        exact = np.sin(self.a1 * pi * side)[:, None] * np.sin(self.a2 * pi * side)
        return Posed([pde, bc], [net], Answer(u, exact, {x: side, y: side}))
