"""The Allen-Cahn equation: a smooth start that falls apart into two phases."""

from dataclasses import dataclass
from functools import cache
from math import pi

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Key

import pinnace as pn
from pinnace.zoo import etdrk
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting

DIFFUSION, REACTION = 1e-4, 5.0
HARMONICS = 3
MODES, TIMES = 2048, 1000


@dataclass(frozen=True, kw_only=True)
class AllenCahn(Problem):
    """The Allen-Cahn equation on [-1, 1] x [0, 1], periodic.

    Relative L2 error with the defaults: 7e-3, median of 3 seeds, less than 20 s on two cores.

    >>> AllenCahn(points=64).losses()
    ('pde',)
    """

    name = "allen_cahn"
    title = "the Allen-Cahn equation, two phases from a smooth start"
    equation = "u_t = 1e-4 u_xx + 5 (u - u^3),  u(x, 0) = x^2 cos(pi x),  periodic in x"
    source = "Fourier series in x, exponential Runge-Kutta in t; Cox and Matthews 2002, Kassam and Trefethen 2005"
    floor = 1e-10

    steps: int = setting(10_000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    points: int = setting(1024, "points where the equation is asked to hold")
    early: float = setting(5.0, "how much more the early residuals count: r exp(-early t)", zero=True)
    conditions: str = setting("hard", "soft: losses of their own; hard: built into the field", choices=("soft", "hard"))

    def pose(self, key: Key[Array, ""]) -> Posed:
        """Soft: a network and three losses. Hard: an even, periodic field that fits the start, and one loss."""
        dom = pn.domain.interval(-1, 1).time(0, 1)
        x, t = dom.variable("interior", self.points, resample=1)
        hard = self.conditions == "hard"
        inputs = 1 + HARMONICS if hard else 2
        net = pn.nn(eqx.nn.MLP(inputs, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))

        def begin(x):
            return x**2 * pn.np.cos(pi * x)

        # cosines alone: the solution is even, as its start is
        waves = [pn.np.cos(k * pi * x) for k in range(1, 1 + HARMONICS)]
        u = begin(x) + t * net(*waves, t) if hard else net(x, t)
        residual = u.d(t) - DIFFUSION * u.dd(x) - REACTION * (u - u**3)
        losses = [(residual * pn.np.exp(-self.early * t)).mse.named("pde")]
        if not hard:
            x0, t0 = dom.variable("initial", 256)
            _, tb = dom.variable("left", 128)
            losses += [(net(x0, t0) - begin(x0)).mse.named("ic"), (net(-1.0, tb) - net(1.0, tb)).mse.named("bc")]

        ts, xs = np.linspace(0, 1, 101), np.linspace(-1, 1, 257)
        return Posed(losses, [net], Answer(u, reference(), {t: ts, x: xs}, self.floor))


@cache
def reference() -> Float[np.ndarray, "101 257"]:
    """u at 101 instants of [0, 1] and 257 places of [-1, 1], ends included."""
    rows = spectral(MODES, TIMES)[:: TIMES // 100, :: MODES // 256]
    x = np.linspace(-1, 1, 257)
    return np.vstack([x**2 * np.cos(pi * x), np.column_stack([rows, rows[:, 0]])[1:]])


def spectral(modes: int, times: int) -> Float[np.ndarray, "times+1 modes"]:
    """u at equidistant instants of [0, 1], and equidistant places from -1 to just before 1.

    From the exact Fourier coefficients of the start: they fall like 1 / k^2, since its slope jumps where the ends
    meet, and samples of it would be wrong by that. Diffusion takes care of those left out, after the first instants.
    """
    k = np.arange(modes // 2 + 1)
    u = modes / 4 * (-1.0) ** k * (_moment(k - 1) + _moment(k + 1)) + 0j

    def push(u: np.ndarray) -> np.ndarray:
        return np.fft.rfft(-REACTION * np.fft.irfft(u, modes) ** 3)

    return np.fft.irfft(etdrk.march(REACTION - DIFFUSION * (pi * k) ** 2, push, u, 1.0, times), modes)


def _moment(m: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """The integral of x^2 cos(m pi x) over [-1, 1]."""
    return np.where(m == 0, 2 / 3, 4 * (-1.0) ** m / (pi * np.where(m == 0, 1, m)) ** 2)
