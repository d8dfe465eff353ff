"""Poisson's equation in the cube of five dimensions."""

from dataclasses import dataclass
from math import pi

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Key

import pinnace as pn
from pinnace.zoo.problem import Answer, Posed, Problem
from pinnace.zoo.settings import setting

AXES, PLACES = 5, 10_000


@dataclass(frozen=True, kw_only=True)
class Poisson5D(Problem):
    """Poisson's equation in five dimensions, PNd of PINNacle (Hao et al. 2023, arXiv 2306.08827).

    Relative L2 error with the defaults: 4.3e-4, median of 3 seeds, 25 s of one core; PINNacle's table has 3.0e-3 for a
    plain network and 1.3e-4 for the best.

    >>> Poisson5D(points=64).losses()
    ('pde', 'bc')
    """

    name = "poisson_5d"
    title = "Poisson's equation in five dimensions"
    equation = (
        "-(u_11 + ... + u_55) = (pi/2)^2 sum sin(pi x_i / 2) on [0, 1]^5,  u = sum sin(pi x_i / 2) on the boundary"
    )
    source = "manufactured: u = sum sin(pi x_i / 2); PINNacle, arXiv 2306.08827"
    floor = 1e-15

    steps: int = setting(12_000, "steps of the optimizer")
    rate: float = setting(1e-2, "learning rate at the first step; falls by a cosine to a thousandth")
    balancer: str = setting("fixed(weights=[1, 100])", 'balancer of the losses, such as "relobralo" or "none"')
    depth: int = setting(3, "hidden layers")
    points: int = setting(512, "points where the equation is asked to hold")

    def pose(self, key: Key[Array, ""]) -> Posed:
        """A network and two losses. The boundary values are no more than the solution, so none are built in."""
        dom = pn.domain.box(*[(0, 1)] * AXES)
        xs = dom.variable("interior", self.points, resample=1)
        net = pn.nn(eqx.nn.MLP(AXES, "scalar", self.width, self.depth, jax.numpy.tanh, key=key))

        u = net(*xs)
        source = (pi / 2) ** 2 * sum(pn.np.sin(pi / 2 * x) for x in xs)
        pde = (pn.np.laplacian(u, xs) + source).mse.named("pde")
        edge = dom.variable("boundary", self.points, resample=1)
        bc = (net(*edge) - sum(pn.np.sin(pi / 2 * x) for x in edge)).mse.named("bc")

        places = np.random.default_rng(0).uniform(size=(AXES, PLACES))
        solution = Answer(u, np.sin(pi / 2 * places).sum(axis=0), dict(zip(xs, places, strict=True)), scattered=True)
        side = np.linspace(0, 1, 65)
        half = np.sin(pi / 2 * side)
        exact = half[:, None] + half + 3 * np.sin(pi / 4)
        picture = Answer(u, exact, dict.fromkeys(xs, 0.5) | {xs[0]: side, xs[1]: side})
        return Posed([pde, bc], [net], solution, picture=picture)
