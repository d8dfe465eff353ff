"""The wave equation: two standing waves, one of them fast."""

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


@dataclass(frozen=True, kw_only=True)
class Wave(Problem):
    """A string that is held at both ends and swings in its first and in its fourth mode.

    Relative L2 error with the defaults: 3.9e-4 and 3.6e-4, two seeds, some 15 s on two cores.

    >>> Wave(points=64).losses()
    ('pde',)
    """

    name = "wave"
    title = "the wave equation, a string in two of its modes"
    equation = (
        "u_tt = 4 u_xx on [0, 1]^2,  u(x, 0) = sin(pi x) + sin(4 pi x) / 2,  u_t(x, 0) = 0,  u(0, t) = u(1, t) = 0"
    )
    source = "exact: standing waves; problem Wave1d-C of Hao et al. 2023, arXiv 2306.08827"
    floor = 1e-15

    steps: int = setting(8000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    optimizer: str = setting("soap", OPTIMIZERS_TOLD)
    points: int = setting(512, "points where the equation is asked to hold")
    beats: int = setting(8, "oscillations in time that the network is given, of frequencies 3 k")
    early: float = setting(1.0, "how much more the early residuals count: r exp(-early t)", zero=True)

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A field that fits both ends, the start and its rest, and one loss."""
        x, t = pn.domain.interval(0, 1).time(0, 1).variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(2 + self.beats, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))
        # even in time, since it starts at rest; the frequencies are not those of the string
        beats = [pn.np.cos(3 * k * t) for k in range(1, 1 + self.beats)]
        raw = net(pn.np.cos(pi * x), pn.np.cos(2 * pi * x), *beats)
        # a sine times what is even: zero at both ends, and so are its second derivatives
        u = exact(x, 0.0) + pn.np.tanh(8 * t) ** 2 * pn.np.sin(pi * x) * raw
        residual = (u.dd(t) - 4 * u.dd(x)) / (8 * pi) ** 2
        pde = (residual * pn.np.exp(-self.early * t)).mse.named("pde")

        ts, xs = np.linspace(0, 1, 129), np.linspace(0, 1, 129)
        return Posed([pde], [net], Answer(u, exact(xs, ts[:, None]), {t: ts, x: xs}))


def exact(x: Any, t: Any) -> Any:
    """The two standing waves.

    >>> round(float(exact(0.5, 0.0)), 9)
    1.0
    """
    slow, fast = pn.np.cos(2 * pi * t), pn.np.cos(8 * pi * t)
    return pn.np.sin(pi * x) * slow + pn.np.sin(4 * pi * x) / 2 * fast
