"""The FitzHugh-Nagumo oscillator: two fields, four losses, magnitudes that differ by orders."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Key

import pinnace as pn
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting

CURRENT, LEAK, OFFSET, START = 0.5, 0.8, 0.7, (1.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Oscillator(Problem):
    """FitzHugh and Nagumo's model of a nerve cell, by its residuals and by steps of Runge and Kutta.

    At the start the losses are about 1, 1e-1, 3e-3 and 3e-4. The error is that of u: with the defaults 1.1e-4, median
    of 3 seeds, with weights of 1 7e-4, with the magnitudes of the start balanced once ("equal_init") 4.5e-4; in less
    than 5 s on two cores.

    >>> Oscillator(points=64).losses()
    ('PI_u', 'PI_v', 'RK4_u', 'RK4_v')
    """

    name = "oscillator"
    title = "the FitzHugh-Nagumo oscillator, by residuals and Runge-Kutta steps"
    equation = "u' = u - u^3/3 - v + 0.5,  v' = eps (u + 0.7 - 0.8 v),  u(0) = 1,  v(0) = 0"
    source = "DOP853 of scipy at a relative tolerance of 1e-13; FitzHugh 1961, Nagumo et al. 1962"
    floor = 1e-11

    steps: int = setting(4000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    balancer: str = setting(
        "lbpinns_loss_balancing", 'balancer of the losses, such as "relobralo", "equal_init" or "none"'
    )
    depth: int = setting(3, "hidden layers")
    points: int = setting(256, "instants where the equations are asked to hold")
    eps: float = setting(0.2, "how slow v is")
    end: float = setting(10.0, "the time until which the oscillator is followed")
    h: float = setting(0.05, "step of the Runge-Kutta losses")
    use_rk4: bool = setting(True, "whether there are Runge-Kutta losses beside those of the residuals")

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A network of two outputs with the initial values built in, and four losses."""
        (t,) = pn.domain.time(0, self.end).variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(1, 2, self.width, self.depth, jax.numpy.tanh, key=key))
        a, b = net(2 * t / self.end - 1)
        rise = pn.np.tanh(t)
        u, v = START[0] + rise * a, START[1] + rise * b

        slope_u, slope_v = slopes(u, v, self.eps)
        losses = [(u.d(t) - slope_u).mse.named("PI_u"), (v.d(t) - slope_v).mse.named("PI_v")]
        if self.use_rk4:
            next_u, next_v = runge_kutta(u, v, self.h, self.eps)
            later = {t: t + self.h}
            losses += [(u.at(later) - next_u).mse.named("RK4_u"), (v.at(later) - next_v).mse.named("RK4_v")]

        ts = np.linspace(0, self.end, 401)
        exact_u, _ = exact(self.end, self.eps, len(ts))
        return Posed(losses, [net], Answer(u, exact_u, {t: ts}, self.floor))


def slopes(u: Any, v: Any, eps: float) -> tuple[Any, Any]:
    """u' and v', of numbers and of expressions alike.

    >>> slopes(0.0, 0.5, 0.0)
    (0.0, 0.0)
    """
    return u - u**3 / 3 - v + CURRENT, eps * (u + OFFSET - LEAK * v)


def runge_kutta(u: Any, v: Any, h: float, eps: float) -> tuple[Any, Any]:
    """u and v a time h later, by one classical step of Runge and Kutta.

    >>> [round(x, 6) for x in runge_kutta(0.0, 0.0, 0.1, 0.08)]
    [0.052288, 0.005788]
    """
    k = slopes(u, v, eps)
    total = k
    for part, weight in ((h / 2, 2), (h / 2, 2), (h, 1)):
        k = slopes(u + part * k[0], v + part * k[1], eps)
        total = total[0] + weight * k[0], total[1] + weight * k[1]
    return u + h / 6 * total[0], v + h / 6 * total[1]


@cache
def exact(end: float, eps: float, count: int) -> Float[np.ndarray, "2 count"]:
    """u and v at equidistant instants of [0, end].

    >>> exact(1.0, 0.08, 2)[:, 0].tolist()
    [1.0, 0.0]
    """
    from scipy.integrate import solve_ivp

    ts = np.linspace(0, end, count)
    return solve_ivp(lambda t, y: slopes(y[0], y[1], eps), (0, end), START, "DOP853", ts, rtol=1e-13, atol=1e-13).y
