"""Burgers' equation: a sine wave that steepens into a shock."""

from dataclasses import dataclass
from math import pi

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo import cole_hopf
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting


@dataclass(frozen=True, kw_only=True)
class Burgers(Problem):
    """Burgers' equation on [-1, 1] x [0, 1] with a small viscosity.

    >>> Burgers(points=64).losses()
    ('pde', 'bc', 'ic')
    """

    name = "burgers"
    title = "Burgers' equation, from a sine to a shock"
    equation = "u_t + u u_x = nu u_xx,  u(x, 0) = -sin(pi x),  u(-1, t) = u(1, t) = 0"
    source = "exact by Cole-Hopf with Gauss-Hermite quadrature; Basdevant et al. 1986"
    floor = 1e-15

    steps: int = setting(15_000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    balancer: str = setting(
        "lbpinns_loss_balancing", 'balancer of the losses, such as "relobralo", "softadapt(beta=0.5)" or "none"'
    )
    nu: float = setting(0.01 / pi, "viscosity")
    conditions: str = setting("soft", "soft: losses of their own; hard: built into the field", choices=("soft", "hard"))
    damping: float = setting(0.05, "how much a steep slope damps the residual: r / (1 + damping |u_x|)", zero=True)

    def pose(self, key: Key[Array, ""]) -> Posed:
        """Soft: a network and three losses. Hard: a field that fits both conditions, and one loss."""
        dom = pn.domain.interval(-1, 1).time(0, 1)
        # fresh points at every step: fixed ones leave gaps in the shock, and a network falls into them
        x, t = dom.variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(2, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))

        hard = self.conditions == "hard"
        u = -pn.np.sin(pi * x) + t * (1 - x**2) * net(x, t) if hard else net(x, t)
        residual = u.d(t) + u * u.d(x) - self.nu * u.dd(x)
        # in the shock u_x is about -1 / (2 nu), and the residual of a small shift would drown all others; a weight
        # in the equation against that: Liu et al. 2024, arXiv 2206.03864 (theirs by compression, this one by slope)
        losses = [(residual / (1 + self.damping * abs(u.d(x)))).mse.named("pde")]
        if not hard:
            xb, tb = dom.variable("boundary", 128)
            x0, t0 = dom.variable("initial", 256)
            losses += [net(xb, tb).mse.named("bc"), (net(x0, t0) + pn.np.sin(pi * x0)).mse.named("ic")]

        ts, xs = np.linspace(0, 1, 101), np.linspace(-1, 1, 257)
        exact = cole_hopf.burgers(xs, ts[:, None], self.nu)
        return Posed(losses, [net], Answer(u, exact, {t: ts, x: xs}, cole_hopf.floor(self.nu)))
