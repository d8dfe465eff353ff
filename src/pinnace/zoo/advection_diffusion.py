"""One network for all velocities and diffusivities: waves that are carried around and fade."""

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

SHARES = (1.0, 0.5)
"""How much there is at first of each wave."""


@dataclass(frozen=True, kw_only=True)
class AdvectionDiffusion(Problem):
    """Advection and diffusion on a circle, for all values of both parameters at once.

    Relative L2 error over all of them with the defaults: 3.7e-3 and 3.9e-3, two seeds, some 25 s on two cores.

    >>> AdvectionDiffusion(points=64).losses()
    ('pde',)
    """

    name = "advection_diffusion"
    title = "advection and diffusion, one network for all velocities and diffusivities"
    equation = (
        "u_t + a u_x = k u_xx for all -1 < a < 1, 0.01 < k < 0.1,  u(x, 0) = sin(pi x) + sin(2 pi x) / 2,  "
        "periodic in x on [-1, 1]"
    )
    source = "exact: waves that are carried and fade"
    floor = 1e-15

    steps: int = setting(8000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    optimizer: str = setting("soap", OPTIMIZERS_TOLD)
    width: int = setting(48, "neurons in a layer")
    depth: int = setting(3, "hidden layers")
    points: int = setting(1024, "points where the equation is asked to hold")
    velocity: float = setting(1.0, "the largest velocity a, in both directions")
    slowest: float = setting(0.01, "the smallest diffusivity k")
    fastest: float = setting(0.1, "the largest diffusivity k")

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A periodic field of place, time and parameters that fits the start, and one loss."""
        dom = pn.domain.interval(-1, 1).time(0, 1)
        dom = dom.vary(a=(-self.velocity, self.velocity), k=(self.slowest, self.fastest))
        x, t, a, k = dom.variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(5, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))
        scaled = (2 * k - self.slowest - self.fastest) / (self.fastest - self.slowest)
        raw = net(pn.np.cos(pi * x), pn.np.sin(pi * x), 2 * t - 1, a / self.velocity, scaled)
        u = exact(x, 0.0, 0.0, 0.0) + t * raw
        pde = (u.d(t) + a * u.d(x) - k * u.dd(x)).mse.named("pde")

        xs, ts = np.linspace(-1, 1, 65), np.linspace(0, 1, 21)
        speeds = np.linspace(-self.velocity, self.velocity, 9)
        rates = np.linspace(self.slowest, self.fastest, 7)
        everywhere = exact(xs, ts[:, None], speeds[:, None, None, None], rates[:, None, None])
        label = f"u, a = {speeds[-1]:g}, k = {rates[0]:g}"
        picture = Answer(u, everywhere[-1, 0], {a: speeds[-1], k: rates[0], t: ts, x: xs}, label=label)
        return Posed([pde], [net], Answer(u, everywhere, {a: speeds, k: rates, t: ts, x: xs}), picture=picture)


def exact(x: Any, t: Any, a: Any, k: Any) -> Any:
    """The waves, of numbers, arrays and expressions.

    >>> float(exact(0.5, 0.0, 1.0, 0.1))
    1.0
    """
    waves = [(n * pi, share) for n, share in enumerate(SHARES, 1)]
    return sum(share * pn.np.exp(-k * w**2 * t) * pn.np.sin(w * (x - a * t)) for w, share in waves)
