"""An integro-differential equation: a rate that depends on all that was before."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting


@dataclass(frozen=True, kw_only=True)
class Volterra(Problem):
    """An equation of Volterra's, of second kind, with a memory that fades.

    Relative L2 error with the defaults: 1.4e-4 and 9e-5, two seeds, a second on two cores.

    >>> Volterra(points=16).losses()
    ('pde',)
    """

    name = "volterra"
    title = "an integro-differential equation, with a memory that fades"
    equation = "u'(x) + u(x) = integral of exp(s - x) u(s) over s from 0 to x,  u(0) = 1"
    source = "exact: u = exp(-x) cosh(x); problem of Lu et al. 2021, arXiv 1907.04502"
    floor = 1e-15

    steps: int = setting(6000, "steps of the optimizer")
    rate: float = setting(1e-2, "learning rate at the first step; falls by a cosine to a thousandth")
    width: int = setting(16, "neurons in a layer")
    depth: int = setting(2, "hidden layers")
    points: int = setting(32, "points where the equation is asked to hold")
    nodes: int = setting(16, "nodes of Gauss and Legendre's rule for the integral")
    end: float = setting(5.0, "the place up to which the solution is followed")

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A field that fits the start, and one loss with an integral in it."""
        x = pn.domain.interval(0, self.end).variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(1, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))
        u = 1 + pn.np.tanh(x) * net(2 * x / self.end - 1)
        s = pn.symbol("s")
        memory = pn.integral(pn.np.exp(s - x) * u.at({x: s}), s, 0, x, n=self.nodes)
        pde = (u.d(x) + u - memory).mse.named("pde")

        xs = np.linspace(0, self.end, 401)
        return Posed([pde], [net], Answer(u, exact(xs), {x: xs}))


def exact(x: Any) -> Any:
    """The solution.

    >>> float(exact(0.0))
    1.0
    """
    return (1 + pn.np.exp(-2 * x)) / 2
