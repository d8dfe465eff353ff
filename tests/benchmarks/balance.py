"""What everything adaptive costs in the step: `python -m tests.benchmarks.balance`.

"burgers" is Burgers' equation on 4 layers of 64, with 2,540 interior, 80 boundary and 160 initial points and Adam;
"ten" has ten losses at 250 points each on one network, where a balancer costs most, because no backward pass can begin
before the last loss is known. The same problem with weights written as numbers and with each balancer, point weights,
moving points and surgery, in turn in one process; the ratio is the median over the rounds.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import pinnace as pn
from tests.benchmarks.report import conditions, markdown, publish

A = pn.fn.adaptive
LOSSES_ONLY = ("relobralo", "softadapt", "dwa", "lbpinns_loss_balancing", "rlw", "equal_init", "ema", "equal_init_ema")
GRADIENTS = ("grad_norm", "lra", "ntk", "gradnorm")
WEIGHTED = {"rba": lambda r: (A.rba(r) * r).mse, "sa": lambda r: (A.sa(r) * r).mse}
WEIGHTED |= {"brdr": lambda r: r.weighted(A.brdr(r))}
MOVED = {"rad every 100": partial(A.rad, every=100), "r3 every 100": partial(A.r3, every=100)}
SURGERIES = ("config", "pcgrad", "dcgd")

Posed = tuple[Any, Any, list[Any]]


def burgers() -> Posed:
    """The residual, the time, and the losses beside that of the residual."""
    dom = pn.domain.interval(-1, 1).time(0, 1)
    (x, t), (xb, tb), (x0, t0) = (
        dom.variable(region, n) for region, n in (("interior", 2540), ("boundary", 80), ("initial", 160))
    )
    net = network()
    u = net(x, t)
    r = u.d(t) + u * u.d(x) - 0.01 / pn.np.pi * u.dd(x)
    return r, t, [net(xb, tb).mse, (net(x0, t0) + pn.np.sin(pn.np.pi * x0)).mse]


def ten() -> Posed:
    """Ten residuals on ten sets of points."""
    dom, net = pn.domain.interval(-1, 1).time(0, 1), network()
    found = []
    for k in range(10):
        x, t = dom.variable("interior", 250)
        u = net(x, t)
        found.append((u.d(t) + (k + 1) * u * u.d(x) - 0.01 * u.dd(x), t))
    return *found[0], [r.mse for r, _ in found[1:]]


def network() -> Any:
    """Four layers of 64, under Adam."""
    module = eqx.nn.MLP(2, "scalar", 64, 4, jnp.tanh, key=jax.random.key(0))
    return pn.nn(module).optimizer(optax.adam(1)).scale(1e-3)


PROBLEMS = {"burgers": burgers, "ten": ten}


def variants() -> dict[str, Callable[[Posed], Any]]:
    """How each is compiled, by name; the first is what the others are compared with."""

    def weighed(name: str, posed: Posed) -> Any:
        r, _, others = posed
        losses = [r.mse, *others]
        return pn.core([w * loss for w, loss in zip(getattr(A, name)(losses), losses, strict=True)])

    def operated(name: str, posed: Posed) -> Any:
        return pn.core([posed[0].mse, *posed[2]], surgery=getattr(pn.surgery, name)())

    return {
        "numbers": lambda posed: pn.core([2.0 * posed[0].mse, *(3.0 * loss for loss in posed[2])]),
        **{name: partial(weighed, name) for name in (*LOSSES_ONLY, *GRADIENTS)},
        **{name: lambda posed, of=of: pn.core([of(posed[0]), *posed[2]]) for name, of in WEIGHTED.items()},
        "causal": lambda posed: pn.core([posed[0].weighted(A.causal(posed[0], posed[1])), *posed[2]]),
        **{name: lambda posed, of=of: pn.core([posed[0].mse, *posed[2], of(posed[0])]) for name, of in MOVED.items()},
        **{f"surgery.{name}": partial(operated, name) for name in SURGERIES},
    }


def measure(problem: str, chosen: list[str], steps: int, rounds: int) -> list[dict[str, Any]]:
    """Time of a step of each, in alternation, and its ratio to that with numbers."""
    known = variants()
    cruxes = {name: known[name](PROBLEMS[problem]()) for name in dict.fromkeys(["numbers", *chosen])}
    for crux in cruxes.values():
        crux.solve(steps, progress=False)
    times: dict[str, list[float]] = {name: [] for name in cruxes}
    for _ in range(rounds):
        for name, crux in cruxes.items():
            began = time.perf_counter()
            crux.solve(steps, progress=False)
            times[name].append((time.perf_counter() - began) / steps)
    rows = []
    for name, crux in cruxes.items():
        ratios = [a / b for a, b in zip(times[name], times["numbers"], strict=True)]
        state = crux.state
        size = sum(leaf.nbytes for leaf in jax.tree.leaves((state.cells, state.surgery)))
        rows.append(
            {
                "problem": problem,
                "name": name,
                "ms": 1e3 * median(times[name]),
                "ratio": median(ratios),
                "least": min(ratios),
                "most": max(ratios),
                "bytes": size,
            }
        )
    return rows


def main() -> None:
    """Compare what was chosen on what was chosen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", nargs="+", default=["burgers"], choices=PROBLEMS)
    parser.add_argument("--names", nargs="+", default=list(variants()), choices=list(variants()))
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--docs", action="store_true", help="write the table into docs/weights.md")
    given = parser.parse_args()
    rows = [row for problem in given.problems for row in measure(problem, given.names, given.steps, given.rounds)]
    head = ["problem", "with", "ms a step", "over numbers", "state, bytes"]
    table = [
        [
            row["problem"],
            row["name"],
            f"{row['ms']:.2f}",
            f"{row['ratio']:.3f} ({row['least']:.2f} to {row['most']:.2f})",
            row["bytes"],
        ]
        for row in rows
    ]
    text = f"{conditions()}\n\n{markdown(head, table)}"
    publish("cost", text, rows, given.out, given.docs, Path("docs/weights.md"))


if __name__ == "__main__":
    main()
