"""Burgers' equation: a sine wave steepens into a shock.

    u_t + u u_x = nu u_xx on [-1, 1] x [0, 1],   u(x, 0) = -sin(pi x),   u(-1, t) = u(1, t) = 0

Run it with `python examples/burgers.py`; it writes burgers.png.
"""

import argparse

import equinox as eqx
import jax
import numpy as np
import optax

import pinnace as pn
from pinnace import LearningRateSchedule as lrs
from pinnace import plot
from pinnace.zoo import cole_hopf

options = argparse.ArgumentParser(description="Solve Burgers' equation.")
options.add_argument("--steps", type=int, default=10_000)
options.add_argument("--out", default="burgers.png", help="the figure")
given = options.parse_args()

# Where the equation and its conditions hold. resample=1: fresh points at every step, so that the shock is
# always hit by some.
nu = 0.01 / pn.np.pi
dom = pn.domain.interval(-1, 1).time(0, 1)
x, t = dom.variable("interior", 2048, resample=1)
xb, tb = dom.variable("boundary", 128)
x0, t0 = dom.variable("initial", 256)

# A network, what trains it, and how fast.
net = pn.nn(eqx.nn.MLP(2, "scalar", 32, 4, jax.numpy.tanh, key=jax.random.key(0)))
net.optimizer(optax.adam(1)).scale(lrs.cosine(given.steps, 5e-3, 5e-6))

# The mathematics. In the shock the slope is about -1 / (2 nu): dividing by it keeps the rest of the domain audible.
u = net(x, t)
residual = u.d(t) + u * u.d(x) - nu * u.dd(x)
pde = (residual / (1 + 0.05 * abs(u.d(x)))).mse.named("pde")
bc = net(xb, tb).mse.named("bc")
ic = (net(x0, t0) + pn.np.sin(pn.np.pi * x0)).mse.named("ic")

# Weights that keep the three losses in step, and everything compiled into one function.
w_pde, w_bc, w_ic = pn.fn.adaptive.lbpinns_loss_balancing([pde, bc, ic])
crux = pn.core([w_pde * pde, w_bc * bc, w_ic * ic, w_pde.tracker(), w_bc.tracker(), w_ic.tracker()])
run = crux.solve(given.steps)
print(run)

# The answer, anywhere, beside the exact one.
ts, xs = np.linspace(0, 1, 101), np.linspace(-1, 1, 257)
exact = cole_hopf.burgers(xs, ts[:, None], nu)
found = crux.eval(u, {x: xs, t: ts[:, None]})
print(f"relative L2 error {np.linalg.norm(found - exact) / np.linalg.norm(exact):.1e}")

figure, axes = plot.field(crux, u, {t: ts, x: xs}, exact)
figure.savefig(given.out, dpi=150)
