"""An inverse problem: the viscosity in Burgers' equation, from 200 noisy measurements of its solution.

    u_t + u u_x = nu u_xx with nu unknown,   u(x, 0) = -sin(pi x),   u(-1, t) = u(1, t) = 0

Run it with `python examples/inverse_burgers.py`; it writes inverse_burgers.png.
"""

import argparse

import equinox as eqx
import jax
import numpy as np
import optax

import pinnace as pn
from pinnace import LearningRateSchedule as lrs
from pinnace.zoo import cole_hopf

options = argparse.ArgumentParser(description="Find the viscosity.")
options.add_argument("--steps", type=int, default=8000)
options.add_argument("--out", default="inverse_burgers.png", help="the figure")
given = options.parse_args()

# Somebody's measurements: where, when, and what, with an error of one percent.
true_nu = 0.02
random = np.random.default_rng(0)
xs, ts = random.uniform(-1, 1, 200), random.uniform(0, 1, 200)
us = cole_hopf.burgers(xs, ts, true_nu)
us += 0.01 * us.std() * random.standard_normal(200)

# The field fits the initial and the boundary condition as it is written; nu is a number that is trained, too.
x, t = pn.domain.interval(-1, 1).time(0, 1).variable("interior", 1024, resample=1)
net = pn.nn(eqx.nn.MLP(2, "scalar", 32, 4, jax.numpy.tanh, key=jax.random.key(0)))
nu = pn.parameter(0.1, name="nu", positive=True)
pn.optimizer([net, nu], optax.adam(1)).scale(lrs.cosine(given.steps, 1e-2, 1e-5))
u = -pn.np.sin(pn.np.pi * x) + t * (1 - x**2) * net(x, t)

# The equation holds everywhere, the data where they were taken.
xd, td, seen = pn.domain.data(x=xs, t=ts, u_seen=us)
residual = u.d(t) + u * u.d(x) - nu * u.dd(x)
pde = (residual / (1 + 0.1 * abs(u.d(x)))).mse.named("pde")
misfit = (u.at({x: xd, t: td}) - seen).mse.named("data")

crux = pn.core([pde, misfit, nu.tracker()])
run = crux.solve(given.steps)
print(run)
print(f"nu = {nu.value:.5f}, true {true_nu}")

figure, axes = run.plot()
figure.savefig(given.out, dpi=150)
