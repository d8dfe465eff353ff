"""A balancer and a learning rate that pinnace does not have, each in a few lines.

The balancer is inverse Dirichlet weighting (Maddu, Sturm, Müller, Sbalzarini 2022, arXiv 2107.00940): losses whose
gradients vary little over the parameters gain weight. The rate is the bold driver of the first neural networks (Vogl et
al. 1988): a little faster while the loss falls, much slower where it rises. Both are used on Helmholtz's equation

    u_xx + u_yy + u = q(x, y),   u = 0 on the boundary,   u = sin(pi x) sin(4 pi y)

Run it with `python examples/own_balancer.py`; it writes own_balancer.png.
"""

import argparse

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import pinnace as pn
from pinnace import LearningRateSchedule as lrs

options = argparse.ArgumentParser(description="Solve Helmholtz's equation with a balancer and a rate of one's own.")
options.add_argument("--steps", type=int, default=3000, help="steps of Adam")
options.add_argument("--out", default="own_balancer.png", help="the figure")
given = options.parse_args()


class InverseDirichlet(pn.balance.LossBalancer):
    """w_i = max_j std(g_j) / std(g_i), averaged; g_i is the gradient of the raw loss i."""

    keep: float = 0.5
    reads = frozenset({"grads"})

    def move(self, now, memory):
        spreads = jnp.stack([jnp.std(jax.flatten_util.ravel_pytree(g)[0]) for g in now.grads])
        target = self.clamp(jnp.max(spreads) / jnp.maximum(spreads, 1e-30))
        return self.keep * now.weights + (1 - self.keep) * target, memory


def bold_driver(epoch, losses, state):
    """Rates go up by 2 % after a step down, and down by 30 % after a step up; no worse than 1e-5 and 5e-3."""
    total = losses[0] + losses[1]
    rate = state["rate"] * (1.02 if total < state["before"] else 0.7)
    rate = min(max(rate, 1e-5), 5e-3)
    return rate, {"rate": rate, "before": total}


sin, pi = pn.np.sin, pn.np.pi
dom = pn.domain.rectangle((-1, 1), (-1, 1))
x, y = dom.variable("interior", 1024)
xb, yb = dom.variable("boundary", 256)
net = pn.nn(eqx.nn.MLP(2, "scalar", 32, 3, jnp.tanh, key=jax.random.key(0)))
net.optimizer(optax.adam(1)).scale(lrs(bold_driver, state={"rate": 1e-3, "before": float("inf")}))

u = net(x, y)
exact = sin(pi * x) * sin(4 * pi * y)
pde = (pn.np.laplacian(u, [x, y]) + u - (1 - 17 * pi**2) * exact).mse.named("pde")
bc = net(xb, yb).mse.named("bc")

w_pde, w_bc = pn.weigh([pde, bc], InverseDirichlet(every=50, min_weight=1e-4, max_weight=1e4))
crux = pn.core([w_pde * pde, w_bc * bc, w_pde.tracker(), w_bc.tracker()])
run = crux.solve(given.steps)
print(run)

side = np.linspace(-1, 1, 101)
wanted = np.sin(np.pi * side)[:, None] * np.sin(4 * np.pi * side)
found = crux.eval(u, {x: side[:, None], y: side})
print(f"relative L2 error {np.linalg.norm(found - wanted) / np.linalg.norm(wanted):.1e}")

figure, axes = run.plot()
figure.savefig(given.out, dpi=150)
