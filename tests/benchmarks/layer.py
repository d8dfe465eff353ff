"""Points that move, on a steep layer: `python -m tests.benchmarks.layer`.

Burgers' equation with nu = 0.01 / pi forms a layer of width 0.01 at x = 0. Initial and boundary values hold exactly, so
that what counts is where the equation is asked for: at points that stay, are drawn anew at each step, or go where the
residual is large. Everything else is the same: initial network, rate, number of points, seeds. The residual is divided
by 1 + 0.05 |u_x|, as in the zoo. Figure: where the points are at the end of the first seed.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.figure import Figure

import pinnace as pn
from pinnace import LearningRateSchedule as lrs
from pinnace.zoo import cole_hopf
from tests.benchmarks.report import conditions, markdown, publish

A = pn.fn.adaptive
NU = 0.01 / np.pi
WIDTH = 0.05
"""Points nearer to x = 0 than this, at times after 0.35, count as in the layer."""

WAYS: dict[str, tuple[dict[str, Any], Callable[[Any, int], list[Any]]]] = {
    "fixed": ({}, lambda r, every: []),
    "resample": ({"resample": 1}, lambda r, every: []),
    "rad": ({}, lambda r, every: [A.rad(r, every)]),
    "rar_d": ({}, lambda r, every: [A.rar_d(r, every)]),
    "r3": ({}, lambda r, every: [A.r3(r, every)]),
    "r3 each step": ({}, lambda r, every: [A.r3(r, 1)]),
}


def solve(way: str, seed: int, points: int, steps: int, every: int) -> dict[str, Any]:
    """The error, the share of the points that are in the layer, and where they are."""
    options, movers = WAYS[way]
    x, t = pn.domain.interval(-1, 1).time(0, 1).variable("interior", points, **options)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 32, 3, jnp.tanh, key=jax.random.key(seed)))
    net.optimizer(optax.adam(1)).scale(lrs.cosine(steps, 3e-3, 3e-6))
    u = -pn.np.sin(np.pi * x) + t * (1 - x**2) * net(x, t)
    r = (u.d(t) + u * u.d(x) - NU * u.dd(x)) / (1 + 0.05 * abs(u.d(x)))
    crux = pn.core([r.mse, *movers(r, every)], key=seed)
    crux.solve(steps, progress=False)
    xs, ts = np.linspace(-1, 1, 401), np.linspace(0, 1, 101)
    exact = cole_hopf.burgers(xs, ts[:, None], NU)
    found = np.asarray(crux.eval(u, {x: xs, t: ts[:, None]}))
    at = np.stack([crux.eval(x), crux.eval(t)], axis=1)
    return {
        "way": way,
        "seed": seed,
        "error": float(np.linalg.norm(found - exact) / np.linalg.norm(exact)),
        "layer": float(np.mean((np.abs(at[:, 0]) < WIDTH) & (at[:, 1] > 0.35))),
        "points": at,
    }


def draw(runs: list[dict[str, Any]], path: Path) -> None:
    """The points of the first seed, one panel a way."""
    first = [run for run in runs if run["seed"] == runs[0]["seed"]]
    figure = Figure(figsize=(2.6 * len(first), 2.8), layout="constrained")
    panels = figure.subplots(1, len(first), sharey=True, squeeze=False)[0]
    for panel, run in zip(panels, first, strict=True):
        panel.scatter(run["points"][:, 1], run["points"][:, 0], s=3, color="#0072B2", linewidths=0)
        panel.set(title=f"{run['way']}\nerror {run['error']:.1e}", xlabel="t", xlim=(0, 1), ylim=(-1, 1))
    panels[0].set_ylabel("x")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=200)


def main() -> None:
    """All ways, seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--every", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--docs", action="store_true", help="write the table and the figure into docs")
    given = parser.parse_args()
    runs = []
    for seed in range(given.seeds):
        for way in given.ways:
            runs.append(solve(way, seed, given.points, given.steps, given.every))
            print(f"seed {seed} {way}: {runs[-1]['error']:.2e}, {runs[-1]['layer']:.0%} in the layer", flush=True)
    table = []
    for way in given.ways:
        errors, shares = ([run[key] for run in runs if run["way"] == way] for key in ("error", "layer"))
        table.append(
            [way, f"{median(errors):.1e}", f"{min(errors):.1e} to {max(errors):.1e}", f"{100 * median(shares):.0f} %"]
        )
    setting = (
        f"Burgers' equation, nu = 0.01 / pi, conditions built in, {given.points} points, {given.steps} steps of Adam "
        f"on 3 layers of 32, points moved every {given.every} steps, {given.seeds} seeds."
    )
    head = ["points", "median error", "range", f"in the layer, abs(x) < {WIDTH} after t = 0.35"]
    text = f"{setting} {conditions()}\n\n{markdown(head, table)}\n\n![Where the points are](figures/layer.png)"
    rows = [{key: run[key] for key in ("way", "seed", "error", "layer")} for run in runs]
    publish("layer", text, rows, given.out, given.docs, Path("docs/weights.md"))
    draw(runs, Path("docs/figures/layer.png") if given.docs else given.out / "layer.png")


if __name__ == "__main__":
    main()
