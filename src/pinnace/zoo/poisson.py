"""Poisson's equation on the unit square, with a solution that was chosen first."""

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
class Poisson(Problem):
    """Poisson's equation on the unit square.

    >>> Poisson(points=64).losses()
    ('pde',)
    """

    name = "poisson"
    title = "Poisson's equation on the unit square"
    equation = "-(u_xx + u_yy) = 2 (k pi)^2 sin(k pi x) sin(k pi y),  u = 0 on the boundary"
    source = "manufactured: u = sin(k pi x) sin(k pi y)"
    floor = 1e-15

    steps: int = setting(3000, "steps of the optimizer")
    rate: float = setting(5e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    depth: int = setting(3, "hidden layers")
    points: int = setting(1024, "points where the equation is asked to hold")
    frequency: int = setting(1, "k: half waves along each side")
    conditions: str = setting("hard", "soft: a loss of its own; hard: built into the field", choices=("soft", "hard"))

    def pose(self, key: Key[Array, ""]) -> Posed:
        """Soft: a network and two losses. Hard: a field that is zero on the boundary, and one loss."""
        dom = pn.domain.rectangle((0, 1), (0, 1))
        x, y = dom.variable("interior", self.points)
        net = pn.nn(eqx.nn.MLP(2, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))

        hard = self.conditions == "hard"
        u = 16 * x * (1 - x) * y * (1 - y) * net(x, y) if hard else net(x, y)
        k = self.frequency * pi
        source = 2 * k**2 * pn.np.sin(k * x) * pn.np.sin(k * y)
        losses = [((pn.np.laplacian(u, [x, y]) + source) / k**2).mse.named("pde")]
        if not hard:
            xb, yb = dom.variable("boundary", 256)
            losses.append(net(xb, yb).mse.named("bc"))

        side = np.linspace(0, 1, 129)
        exact = np.sin(k * side)[:, None] * np.sin(k * side)
        return Posed(losses, [net], Answer(u, exact, {x: side, y: side}))
