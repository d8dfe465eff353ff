"""Run by test_train_devices in processes of their own, since the number of devices is fixed when JAX starts.

`on_devices.py emulated FOLDER`: one process with 8 emulated devices. `on_devices.py process FOLDER PORT RANK`: one of
two, with 2 devices each. Writes what it found as JSON.
"""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import pinnace as pn
from pinnace.step import run_chunk

STEPS = 100
COLLECTIVE = re.compile(r"= (.*?) (all-gather|all-to-all|collective-permute|all-reduce|reduce-scatter)(-start)?\(")


def problem(**options: Any) -> tuple[Any, Any]:
    """Sets that no axis divides, resampled ones, mini-batches, reductions in reductions, a balancer, a wide layer."""
    dom = pn.domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", 203, sampler="uniform", resample=7)
    y, s = dom.variable("interior", 160, resample=5, batch=45)
    xb, tb = dom.variable("boundary", 50)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 256, 1, jnp.tanh, key=jax.random.key(0)))
    net.optimizer(optax.adam(1)).scale(pn.fn.adaptive.dlrs(lr0=1e-3, window=10))
    u = net(x, t)
    losses = [
        (u.d(t) + u * u.d(x) - 0.01 * u.dd(x)).mse.named("pde"),
        net(xb, tb).mse.named("bc"),
        (u - u.mean).max.named("top"),
        net(y, s).d(y).huber(0.1).named("slope"),
    ]
    weights = pn.fn.adaptive.relobralo(losses, expected_rho=0.5)
    entries = [weight * loss for weight, loss in zip(weights, losses, strict=True)]
    return pn.core([*entries, weights[0].tracker(), (u**2).mean.tracker("rare", every=9)], key=5, **options), u


def adaptive(**options: Any) -> Any:
    """Point weights, points that move, gradients of single losses, traces, surgery; sets that no axis divides."""
    dom = pn.domain.interval(-1, 1).time(0, 1)
    (x, t), (y, s), (xb, tb) = (
        dom.variable("interior", 51),
        dom.variable("interior", 43),
        dom.variable("boundary", 23),
    )
    net = pn.nn(eqx.nn.MLP(2, "scalar", 8, 1, jnp.tanh, key=jax.random.key(0))).optimizer(optax.adam(1e-3))

    def residual(x: Any, t: Any) -> Any:
        u = net(x, t)
        return u.d(t) + u * u.d(x) - 0.01 * u.dd(x)

    stays, moves = residual(x, t), residual(y, s)
    brdr, causal = pn.fn.adaptive.brdr(stays), pn.fn.adaptive.causal(moves, s, chunks=5)
    losses = [
        (pn.fn.adaptive.rba(stays) * stays).mse.named("rba"),
        stays.weighted(brdr).named("brdr"),
        moves.weighted(causal).named("causal"),
        net(xb, tb).mse.named("bc"),
    ]
    norms, traces = pn.fn.adaptive.grad_norm(losses, every=3), pn.fn.adaptive.ntk(losses, every=4)
    entries = [a * b * loss for a, b, loss in zip(norms, traces, losses, strict=True)]
    trackers = [norms[2].tracker("norm"), traces[2].tracker("trace"), brdr.tracker("lam"), y.tracker("y")]
    d, u = pn.diagnose, net(x, t)
    trackers += [
        d.gradient_norm(losses[0]).tracker("slope", every=4),
        d.gradient_cosine(entries[1], entries[3], of=net).tracker("cosine"),
        d.ntk_spectrum(moves, top=3).tracker("spectrum", every=6),
        d.update_norm().tracker("update"),
        pn.np.relative_l2(u, pn.np.sin(x) * t).tracker("error"),
        pn.np.quantile(abs(stays), [0.0, 0.3, 0.9, 1.0]).tracker("quantiles"),
    ]
    return pn.core([*entries, *trackers, pn.fn.adaptive.rad(moves, every=5)], surgery=pn.surgery.config(), **options)


def mesh_of(*shape: int) -> Any:
    names = ("points", "model")[: len(shape)]
    return jax.make_mesh(shape, names, devices=jax.devices()[: int(np.prod(shape))])


def logged(history: Any) -> dict[str, Any]:
    return {name: history[name].tolist() for name in history}


def collectives(crux: Any) -> list[tuple[str, str]]:
    """(kind, shapes) of what devices send each other in the compiled step."""
    fixed, numbers = crux._recipe()
    text = run_chunk.lower(fixed, numbers, crux._state, np.asarray(3)).compile().as_text()
    found = map(COLLECTIVE.search, text.splitlines())
    return [(match[2], match[1]) for match in found if match]


def emulated(folder: Path) -> dict[str, Any]:
    cases: dict[str, dict[str, Any]] = {
        "none": {},
        "1": {"mesh": mesh_of(1)},
        "2": {"mesh": mesh_of(2)},
        "4": {"mesh": mesh_of(4)},
        "8": {"mesh": mesh_of(8)},
        "4, 2": {"mesh": mesh_of(4, 2)},
        "8 in batches": {"mesh": mesh_of(8), "microbatch": 110},
    }
    found: dict[str, Any] = {}
    made: dict[str, Any] = {}
    for name, options in cases.items():
        crux, u = problem(**options)
        made[name] = crux
        before = run_chunk._cache_size()
        crux.solve(10, progress=False)
        if name == "8 in batches":
            crux.save(folder / "eight.npz")
        crux.solve(until=STEPS, progress=False)
        found[name] = {
            "history": logged(crux.history),
            "rows": [*crux.eval(u).shape, *crux.state.points[0].shape],
            "mean": float(crux.eval(u.mean)),
            "compilations": run_chunk._cache_size() - before,
            "collectives": collectives(crux) if "mesh" in options else [],
            "widths": sorted(
                {leaf.sharding.shard_shape(leaf.shape)[0] for leaf in jax.tree.leaves(crux._state.params)}
            ),
        }
    for name, options in {"adaptive": {}, "adaptive, 4": {"mesh": mesh_of(4), "microbatch": 12}}.items():
        crux = adaptive(**options)
        crux.solve(12, progress=False)
        found[name] = {"history": logged(crux.history)}
    made["none"].load(folder / "eight.npz").solve(5, progress=False)
    made["none"].save(folder / "one.npz")
    made["4, 2"].load(folder / "one.npz").solve(until=20, progress=False)
    found["resumed"] = {"history": logged(made["4, 2"].history)}
    return found


def process(folder: Path, rank: int) -> dict[str, Any]:
    crux, u = problem(mesh=jax.make_mesh((4,), ("points",)), microbatch=100)
    crux.solve(STEPS, progress=False, callbacks=lambda run: time.sleep(0.1 * rank))
    found: dict[str, Any] = {"history": logged(crux.history), "rows": list(crux.eval(u).shape)}
    crux.save(folder / "state.npz")
    found["file"] = (folder / "state.npz").is_file()
    # one process alone wants to stop
    found["stopped"] = crux.solve(10_000, progress=False, callbacks=lambda run: rank == 1 and run.steps > 9).steps
    crux.load(folder / "state.npz")
    found["steps"] = crux.steps
    return found


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_num_cpu_devices", 8 if kind == "emulated" else 2)
    if kind == "emulated":
        found, name = emulated(folder), "emulated"
    else:
        rank = int(sys.argv[4])
        jax.distributed.initialize(f"localhost:{sys.argv[3]}", 2, rank)
        found, name = process(folder, rank), f"process{rank}"
    (folder / f"{name}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
