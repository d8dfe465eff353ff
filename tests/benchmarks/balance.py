"""What a balancer costs in the step: `python tests/benchmarks/balance.py`.

Ten losses at 2,500 points in all, on one network; the same problem with fixed weights and with each balancer, in turn
in one process. The ratio is that of the medians over the rounds, to fixed weights written as numbers.
"""

import argparse
import time
from statistics import median
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import pinnace as pn


def problem(name: str | None) -> tuple[Any, int]:
    """A crux with ten losses under a balancer, or under the number 1; and the bytes of its balancer's state."""
    net = pn.nn(eqx.nn.MLP(2, "scalar", 64, 4, jnp.tanh, key=jax.random.key(0))).optimizer(optax.adam(1)).scale(1e-3)
    dom = pn.domain.interval(-1, 1).time(0, 1)
    losses = []
    for k in range(10):
        x, t = dom.variable("interior", 250)
        u = net(x, t)
        losses.append((u.d(t) + (k + 1) * u * u.d(x) - 0.01 * u.dd(x)).mse)
    weights = [1.0] * 10 if name is None else getattr(pn.fn.adaptive, name)(losses)
    crux = pn.core([weight * loss for weight, loss in zip(weights, losses, strict=True)])
    return crux, sum(leaf.nbytes for leaf in jax.tree.leaves(crux.state.cells))


def main() -> None:
    """Compare all balancers of losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    names = [None, "relobralo", "softadapt", "dwa", "lbpinns_loss_balancing", "rlw", "equal_init_ema"]
    cruxes = {name: problem(name) for name in names}
    for crux, _ in cruxes.values():
        crux.solve(given.steps, progress=False)
    times: dict[str | None, list[float]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name, (crux, _) in cruxes.items():
            began = time.perf_counter()
            crux.solve(given.steps, progress=False)
            times[name].append((time.perf_counter() - began) / given.steps)
    state = sum(leaf.nbytes for leaf in jax.tree.leaves(cruxes[None][0].state))
    for name in names[1:]:
        ratios = [a / b for a, b in zip(times[name], times[None], strict=True)]
        print(
            f"{name:24} {1e3 * median(times[name]):6.2f} ms, ratio {median(ratios):.3f} "
            f"({min(ratios):.3f} to {max(ratios):.3f}), {cruxes[name][1]} bytes of {state}"
        )


if __name__ == "__main__":
    main()
