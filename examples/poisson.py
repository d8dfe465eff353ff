"""Poisson's equation on the unit square, with a boundary condition that holds exactly.

    -(u_xx + u_yy) = 2 pi^2 sin(pi x) sin(pi y),   u = 0 on the boundary

Run it with `python examples/poisson.py`; it writes poisson.png.
"""

import argparse

import equinox as eqx
import jax
import numpy as np
import optax

import pinnace as pn
from pinnace import LearningRateSchedule as lrs
from pinnace import plot

options = argparse.ArgumentParser(description="Solve Poisson's equation.")
options.add_argument("--steps", type=int, default=2000, help="steps of Adam; a quarter as many of L-BFGS follow")
options.add_argument("--out", default="poisson.png", help="the figure")
given = options.parse_args()

sin, pi = pn.np.sin, pn.np.pi
x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 1024)
net = pn.nn(eqx.nn.MLP(2, "scalar", 32, 3, jax.numpy.tanh, key=jax.random.key(0)))

# The factor in front is zero on all four sides, and so is u, whatever the network says.
u = x * (1 - x) * y * (1 - y) * net(x, y)
pde = (pn.np.laplacian(u, [x, y]) + 2 * pi**2 * sin(pi * x) * sin(pi * y)).mse.named("pde")

# First Adam, which finds the valley; then L-BFGS, which goes down to its floor.
net.optimizer(optax.adam(1)).scale(lrs.cosine(given.steps, 1e-2, 1e-4))
crux = pn.core([pde])
print(crux.solve(given.steps))
net.optimizer(optax.lbfgs()).scale(1.0)
print(crux.solve(given.steps // 4))

side = np.linspace(0, 1, 129)
exact = np.sin(np.pi * side)[:, None] * np.sin(np.pi * side)
found = crux.eval(u, {x: side[:, None], y: side})
print(f"relative L2 error {np.linalg.norm(found - exact) / np.linalg.norm(exact):.1e}")

figure, axes = plot.field(crux, u, {x: side, y: side}, exact)
figure.savefig(given.out, dpi=150)
