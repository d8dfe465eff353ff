"""The Korteweg-de Vries equation: a cosine that breaks into solitons."""

from dataclasses import dataclass
from functools import cache
from math import pi

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Key

import pinnace as pn
from pinnace.zoo import etdrk
from pinnace.zoo.problem import OPTIMIZERS_TOLD, Answer, Posed, Problem
from pinnace.zoo.settings import setting

DISPERSION = 0.022**2
MODES, TIMES = 256, 4000


@dataclass(frozen=True, kw_only=True)
class KdV(Problem):
    """The Korteweg-de Vries equation of Zabusky and Kruskal on [-1, 1] x [0, 1], periodic.

    Relative L2 error with the defaults: 2.4e-3 and 2.5e-3, two seeds, some 35 s on two cores.

    >>> KdV(points=64).losses()
    ('pde',)
    """

    name = "kdv"
    title = "the Korteweg-de Vries equation, from a cosine to solitons"
    equation = "u_t + u u_x + 0.022^2 u_xxx = 0,  u(x, 0) = cos(pi x),  periodic in x"
    source = "Fourier series in x, exponential Runge-Kutta in t; problem of Zabusky and Kruskal 1965"
    floor = 1e-8

    steps: int = setting(14_000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    optimizer: str = setting("soap", OPTIMIZERS_TOLD)
    width: int = setting(48, "neurons in a layer")
    points: int = setting(512, "points where the equation is asked to hold")
    harmonics: int = setting(3, "waves along x that the network is given")
    beats: int = setting(3, "oscillations in time that the network is given, of frequencies 3 k")
    early: float = setting(0.5, "how much more the early residuals count: r exp(-early t)", zero=True)
    damping: float = setting(0.02, "how much a steep slope damps the residual: r / (1 + damping |u_x|)", zero=True)

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A periodic field that fits the start, and one loss."""
        x, t = pn.domain.interval(-1, 1).time(0, 1).variable("interior", self.points, resample=1)
        inputs = 2 * self.harmonics + 2 * self.beats + 1
        net = pn.nn(eqx.nn.MLP(inputs, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))
        circles = [k * pi * x for k in range(1, 1 + self.harmonics)]
        beats = [3 * k * t for k in range(1, 1 + self.beats)]
        waves = [wave(angle) for angle in (*circles, *beats) for wave in (pn.np.cos, pn.np.sin)]
        u = pn.np.cos(pi * x) + t * net(*waves, 2 * t - 1)
        residual = u.d(t) + u * u.d(x) + DISPERSION * u.d(x, x, x)
        weight = pn.np.exp(-self.early * t) / (1 + self.damping * abs(u.d(x)))
        pde = (weight * residual).mse.named("pde")

        ts, xs = np.linspace(0, 1, 101), np.linspace(-1, 1, 257)
        return Posed([pde], [net], Answer(u, reference(), {t: ts, x: xs}, self.floor))


@cache
def reference() -> Float[np.ndarray, "101 257"]:
    """u at 101 instants of [0, 1] and 257 places of [-1, 1], ends included."""
    return etdrk.closed(spectral(MODES, TIMES)[:, :: MODES // 256])


def spectral(modes: int, times: int) -> Float[np.ndarray, "101 modes"]:
    """u at 101 instants of [0, 1], and equidistant places from -1 to just before 1."""
    return etdrk.convected(lambda x: np.cos(pi * x), lambda k: -DISPERSION * k**3, 1.0, modes, times)
