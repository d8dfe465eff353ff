"""What precision costs in accuracy: the loss of Burgers and its gradient, relative to float64.

`python tests/benchmarks/precision.py` prints a table, for the network as it starts and after some steps of training
(a small residual is a difference of large terms, and suffers more). All rows have the same points and parameters, those
that float32 holds exactly. On a CPU the names between "default" and "highest" mean the same.
"""

import argparse
import time
from statistics import median
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import pinnace as pn

ROWS: tuple[tuple[Any, str | None], ...] = (
    (jnp.float64, None),
    (jnp.float32, None),
    (jnp.float32, "highest"),
    (jnp.float32, "high"),
    (jnp.float32, "tensorfloat32"),
    (jnp.float32, "default"),
    (jnp.float32, "bfloat16"),
    (jnp.float64, "bfloat16"),
    (jnp.bfloat16, None),
)
"""Precision of the module, and of its matrix products."""


def holding() -> optax.GradientTransformationExtraArgs:
    """An optimizer that moves nothing and keeps the gradient."""
    return optax.GradientTransformationExtraArgs(
        lambda params: jax.tree.map(jnp.zeros_like, params),
        lambda updates, state, params=None, **_: (jax.tree.map(jnp.zeros_like, updates), updates),
    )


def burgers(net: Any, columns: dict[str, np.ndarray], **options: Any) -> Any:
    """One residual at given points."""
    x, t = pn.domain.data(**columns)
    u = net(x, t)
    return pn.core([(u.d(t) + u * u.d(x) - 0.01 / pn.np.pi * u.dd(x)).mse], **options)


def as_dtype(module: Any, dtype: Any) -> Any:
    """The module with its parameters in one precision."""
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if eqx.is_inexact_array(leaf) else leaf, module)


def measured(module: Any, columns: dict[str, np.ndarray], dtype: Any, precision: str | None) -> tuple[Any, Any, float]:
    """Loss, gradient, and milliseconds of a step."""
    crux = burgers(pn.nn(as_dtype(module, dtype)).optimizer(holding()), columns, precision=precision)
    loss = crux.solve(1, progress=False).history["total"][0]
    gradient = np.concatenate([np.ravel(np.asarray(leaf, float)) for leaf in jax.tree.leaves(crux.state.optimizers)])
    crux.solve(10, progress=False)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        crux.solve(10, progress=False)
        times.append((time.perf_counter() - began) * 100)
    return float(loss), gradient, median(times)


def table(title: str, module: Any, columns: dict[str, np.ndarray]) -> None:
    """Print the errors of all precisions."""
    print(f"\n{title}\n| parameters | products | error of the loss | error of the gradient | ms a step |")
    print("|---|---|---|---|---|")
    exact = None
    for dtype, precision in ROWS:
        loss, gradient, milliseconds = measured(module, columns, dtype, precision)
        exact = exact or (loss, gradient)
        errors = (abs(loss / exact[0] - 1), np.linalg.norm(gradient - exact[1]) / np.linalg.norm(exact[1]))
        name = jnp.dtype(dtype).name
        print(f"| {name} | {precision or 'as JAX'} | {errors[0]:.1e} | {errors[1]:.1e} | {milliseconds:.1f} |")


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=2540)
    parser.add_argument("--steps", type=int, default=1000)
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {given.points} points, 4 layers of 64, tanh")
    draw = np.random.default_rng(0).uniform
    columns = {name: draw(low, 1, given.points).astype(np.float32) for name, low in (("x", -1), ("t", 0))}
    module = eqx.nn.MLP(2, "scalar", 64, 4, jnp.tanh, key=jax.random.key(0), dtype=jnp.float32)
    table("at the start", module, columns)
    net = pn.nn(module).optimizer(optax.adam(1e-3))
    x, t = pn.domain.data(**columns)
    start = (net(x, 0.0) + pn.np.sin(pn.np.pi * x)).mse
    u = net(x, t)
    pn.core([start, (u.d(t) + u * u.d(x) - 0.01 / pn.np.pi * u.dd(x)).mse]).solve(given.steps, progress=False)
    table(f"after {given.steps} steps", net.module, columns)


if __name__ == "__main__":
    main()
