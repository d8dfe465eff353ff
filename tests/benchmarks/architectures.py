"""The architectures of `pn.arch` on Burgers' equation: pinnace over nested jvp, and over the plain network.

    python -m tests.benchmarks.architectures

Value and parameter gradient of the residual's mean square; steps of plain gradient descent, as in `nested`.
"""

import argparse
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import pinnace as pn
from tests.benchmarks.peers.coefficients import BURGERS
from tests.benchmarks.problems import burgers, plane
from tests.benchmarks.report import conditions, markdown, milliseconds, publish
from tests.benchmarks.rounds import SECONDS, interleaved, ratio
from tests.benchmarks.sides import by_hand, pinnace

SLOW = optax.sgd(1e-9)
SIZES: Any = (2, "scalar", 64, 4)


def modules(dtype: Any) -> dict[str, Any]:
    """Four hidden layers of 64, or two blocks of three."""
    key = jax.random.key(0)
    mlp = eqx.nn.MLP(*SIZES, jnp.tanh, dtype=dtype, key=key)
    return {
        "MLP": mlp,
        "MLP, weights factorized": pn.arch.weight_factorized(mlp, key=key),
        "Fourier features": pn.arch.FourierFeatures(*SIZES, dtype=dtype, key=key),
        "Fourier features, two scales": pn.arch.FourierFeatures(*SIZES, scales=[1.0, 5.0], dtype=dtype, key=key),
        "modified MLP": pn.arch.ModifiedMLP(*SIZES, dtype=dtype, key=key),
        "PirateNet, 2 blocks": pn.arch.PirateNet(2, "scalar", 64, 2, dtype=dtype, key=key),
        "SIREN": pn.arch.Siren(*SIZES, dtype=dtype, key=key),
    }


def nested(static: Any, trained: Any, points: Any) -> Any:
    """The same loss by nested jvp on the batch."""
    module = eqx.combine(trained, static)

    def field(x: Any, t: Any) -> Any:
        return jax.vmap(lambda x, t: module(jnp.stack([x, t])))(x, t)

    x, t = points[:, 0], points[:, 1]
    one = jnp.ones_like(x)
    _, u_t = jax.jvp(partial(field, x), (t,), (one,))
    (u, u_x), (_, u_xx) = jax.jvp(lambda x: jax.jvp(lambda x: field(x, t), (x,), (one,)), (x,), (one,))
    return jnp.mean((u_t + u * u_x - BURGERS * u_xx) ** 2)


def loss(points: int, field: Any) -> Any:
    x, t = plane().variable("interior", points)
    return burgers(field(x, t), (x, t))


def main() -> None:
    """Compare all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2540)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one side in one round")
    parser.add_argument("--double", action="store_true", help="in float64")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", given.double)
    rows: list[dict[str, Any]] = []
    plain: list[float] = []
    for name, module in modules(jnp.float64 if given.double else jnp.float32).items():
        ours, crux = pinnace(partial(loss, given.points), module, SLOW)
        trained, static = eqx.partition(module, eqx.is_inexact_array)
        theirs = by_hand(partial(nested, static), trained, crux.state.points[0], SLOW)
        if abs(ours.loss - theirs.loss) > 1e-3 * abs(theirs.loss):
            raise SystemExit(f"{name}: the losses differ, {ours.loss} and {theirs.loss}")
        times = interleaved({"pinnace": ours.steps, "jvp": theirs.steps}, given.rounds, given.seconds)
        plain = plain or times["pinnace"]
        row = {
            "network": name,
            "pinnace, ms": milliseconds(median(times["pinnace"])),
            "over nested jvp": ratio(times["pinnace"], times["jvp"]),
            "over the MLP": f"{median(times['pinnace']) / median(plain):.2f}",
            "compile, s": f"{ours.compile:.1f}, nested jvp {theirs.compile:.1f}",
        }
        rows.append(row)
        print(*(f"{name}: {value}" for name, value in row.items()), sep=", ", flush=True)
        jax.clear_caches()
    text = f"{conditions()}\n\n{markdown(list(rows[0]), [list(row.values()) for row in rows])}"
    publish("architectures", text, rows, given.out, False)


if __name__ == "__main__":
    main()
