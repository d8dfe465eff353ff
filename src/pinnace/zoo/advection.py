"""A wave that is carried around: fast, so that a network which learns all times at once misses it."""

from dataclasses import dataclass
from math import pi

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo.problem import OPTIMIZERS_TOLD, Answer, Posed, Problem
from pinnace.zoo.settings import setting


@dataclass(frozen=True, kw_only=True)
class Advection(Problem):
    """A sine carried around a circle almost five times; no network moves along with it.

    Relative L2 error with the defaults: 6.4e-3 and 6.8e-3, two seeds, some 8 s on two cores.

    >>> Advection(points=64).losses()
    ('pde',)
    """

    name = "advection"
    title = "advection around a circle, fast"
    equation = "u_t + c u_x = 0,  u(x, 0) = sin(x),  periodic in x on [0, 2 pi]"
    source = "exact: u = sin(x - c t); problem of Krishnapriyan et al. 2021, arXiv 2109.01050"
    floor = 1e-15

    steps: int = setting(10_000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    optimizer: str = setting("soap", OPTIMIZERS_TOLD)
    depth: int = setting(3, "hidden layers")
    points: int = setting(512, "points where the equation is asked to hold")
    c: float = setting(30.0, "speed")
    beats: int = setting(8, "oscillations in time that the network is given, of frequencies k pi")
    early: float = setting(1.0, "how much more the early residuals count: r exp(-early t)", zero=True)

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A periodic field that fits the start, and one loss."""
        x, t = pn.domain.interval(0, 2 * pi).time(0, 1).variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(3 + 2 * self.beats, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))
        beats = [beat(k * pi * t) for k in range(1, 1 + self.beats) for beat in (pn.np.cos, pn.np.sin)]
        u = pn.np.sin(x) + pn.np.tanh(10 * t) * net(pn.np.cos(x), pn.np.sin(x), 2 * t - 1, *beats)
        residual = (u.d(t) + self.c * u.d(x)) / self.c
        pde = (residual * pn.np.exp(-self.early * t)).mse.named("pde")

        ts, xs = np.linspace(0, 1, 101), np.linspace(0, 2 * pi, 129)
        return Posed([pde], [net], Answer(u, np.sin(xs - self.c * ts[:, None]), {t: ts, x: xs}))
