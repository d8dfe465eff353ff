"""Do all variants of a problem compute the same loss and the same gradient? In float64 and float32, against pinnace."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import pinnace as pn
from tests.benchmarks.problems import Problem
from tests.benchmarks.taylor import layers_of

TOLERANCES = {"float64": 1e-10, "float32": 1e-5}


def check(problems: Sequence[Problem]) -> None:
    """Print how far the variants lie from pinnace.

    Raises SystemExit where one lies too far.
    """
    failed = []
    for precision, tolerance in TOLERANCES.items():
        with jax.enable_x64(precision == "float64"):
            for problem in problems:
                for variant, apart in distances(problem).items():
                    verdict = "" if apart <= tolerance else "  TOO FAR"
                    print(f"{precision} {problem.title:22} {variant:18} {apart:.1e}{verdict}", flush=True)
                    failed += [f"{precision} {problem.title} {variant}"] if verdict else []
    if failed:
        raise SystemExit(f"These do not agree: {'; '.join(failed)}")


def distances(problem: Problem) -> dict[str, float]:
    """The distance of each variant from pinnace in the loss and in the gradient, the larger of both, relative."""
    module = problem.module(dtype=jnp.result_type(float))
    value, gradient, points = ours(problem, module)
    layers = layers_of(module)
    found = {}
    for name, loss in {**problem.hand, "nested jvp": problem.jvp, "nested grad": problem.grad}.items():
        other, slope = jax.jit(jax.value_and_grad(loss))(layers, points)
        slope = flat(slope)
        found[name] = max(abs(float(other) / value - 1), np.linalg.norm(slope - gradient) / np.linalg.norm(gradient))
    return found


def ours(problem: Problem, module: Any) -> tuple[float, np.ndarray, Any]:
    """Loss and gradient as the step of pinnace has them, and its points."""
    spy = optax.GradientTransformation(
        lambda params: jax.tree.map(jnp.zeros_like, params),
        lambda updates, state, params=None: (jax.tree.map(jnp.zeros_like, updates), updates),
    )
    net = pn.nn(module).optimizer(spy)
    crux = pn.core([problem.loss(net)])
    points = crux.state.points[0]
    run = crux.solve(1, progress=False)
    return float(run.history["total"][0]), flat(crux.state.optimizers), points


def flat(tree: Any) -> np.ndarray:
    """All leaves as one vector."""
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]).astype(float)
