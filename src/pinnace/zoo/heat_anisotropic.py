"""The heat equation with two conductivities: fine waves along x, one arch along y."""

from dataclasses import dataclass
from math import pi
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo.problem import OPTIMIZERS_TOLD, Answer, Posed, Problem
from pinnace.zoo.settings import setting

ALONG_X, ALONG_Y, END = 1 / (500 * pi) ** 2, 1 / pi**2, 5.0
WAVES = 20


@dataclass(frozen=True, kw_only=True)
class HeatAnisotropic(Problem):
    """Heat on the unit square, of two scales: conducted 250,000 times better along y than along x.

    The network is given a wave as fine as those of the start, which the start tells; without it it would miss them all.
    Relative L2 error with the defaults: 1.2e-3 and 1.1e-3, two seeds, some 15 s on two cores.

    >>> HeatAnisotropic(points=64).losses()
    ('pde',)
    """

    name = "heat_anisotropic"
    title = "heat in a plate that conducts along one axis only"
    equation = (
        "u_t = u_xx / (500 pi)^2 + u_yy / pi^2 on [0, 1]^2 x [0, 5],  u(x, y, 0) = sin(20 pi x) sin(pi y),  "
        "u = 0 on the boundary"
    )
    source = "exact: one mode; problem Heat2d-MS of Hao et al. 2023, arXiv 2306.08827"
    floor = 1e-15

    steps: int = setting(6000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    optimizer: str = setting("soap", OPTIMIZERS_TOLD)
    depth: int = setting(3, "hidden layers")
    points: int = setting(1024, "points where the equation is asked to hold")

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A field that fits start and boundary, of a network that is given waves as fine as the start; one loss."""
        dom = pn.domain.rectangle((0, 1), (0, 1)).time(0, END)
        x, y, t = dom.variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(5, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))
        angle = WAVES * pi * x
        raw = net(2 * x - 1, pn.np.sin(angle), pn.np.cos(angle), 2 * y - 1, 2 * t / END - 1)
        inside = pn.np.tanh(10 * x) * pn.np.tanh(10 * (1 - x)) * 4 * y * (1 - y)
        u = start(x, y) + pn.np.tanh(t) * inside * raw
        pde = (u.d(t) - ALONG_X * u.dd(x) - ALONG_Y * u.dd(y)).mse.named("pde")

        xs, ys, ts = np.linspace(0, 1, 201), np.linspace(0, 1, 33), np.linspace(0, END, 21)
        decay = np.exp(-(ALONG_X * WAVES**2 + ALONG_Y) * pi**2 * ts)
        exact = decay[:, None, None] * start(xs, ys[:, None])
        picture = Answer(u, exact[4], {y: ys, x: xs, t: ts[4]}, label="u at t = 1")
        return Posed([pde], [net], Answer(u, exact, {t: ts, y: ys, x: xs}), picture=picture)


def start(x: Any, y: Any) -> Any:
    """The temperature at first.

    >>> float(start(0.025, 0.5))
    1.0
    """
    return pn.np.sin(WAVES * pi * x) * pn.np.sin(pi * y)
