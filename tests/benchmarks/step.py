"""A step of pinnace against the same step written by hand, with the same terms: `python tests/benchmarks/step.py`.

By hand means: the Taylor terms carried layer by layer through the network, the losses, the gradient, Adam and the
rate, in one jitted `fori_loop`. Both sides take the same steps from the same parameters, in turn, in one process; the
ratio is that of the medians. Compile time is apart. The losses of both are compared first.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import pinnace as pn

RATE = 1e-3


def mlp(outputs: Any, seed: int = 0) -> eqx.nn.MLP:
    """The network of the benchmarks: 4 hidden layers of 64, tanh."""
    return eqx.nn.MLP(2, outputs, 64, 4, jnp.tanh, key=jax.random.key(seed))


def taylor(module: eqx.nn.MLP, points: jax.Array, terms: tuple[str, ...]) -> dict[str, jax.Array]:
    """The terms of the network layer by layer, written out by hand: "", "a", "b", "aa", "bb", "aaa"."""
    z = {
        "": points,
        "a": jnp.zeros_like(points).at[:, 0].set(1.0),
        "b": jnp.zeros_like(points).at[:, 1].set(1.0),
    }
    z = {term: value for term, value in z.items() if term in terms}
    last = len(module.layers) - 1
    for k, layer in enumerate(module.layers):
        weight = jnp.atleast_2d(layer.weight)
        z = {term: value @ weight.T for term, value in z.items()}
        z[""] = z[""] + layer.bias
        if k < last:
            z = activate(z, terms)
    return z


def activate(z: dict[str, jax.Array], terms: tuple[str, ...]) -> dict[str, jax.Array]:
    """tanh by Faa di Bruno."""
    a = jnp.tanh(z[""])
    s = (1 - a) * (1 + a)
    c = -2 * a * s
    out = {"": a}
    for d in "ab":
        if d in terms:
            out[d] = s * z[d]
        if d * 2 in terms:
            out[d * 2] = c * z[d] ** 2 + (s * z[d * 2] if d * 2 in z else 0)
        if d * 3 in terms:
            e = -2 * (s * s + a * c)
            third = e * z[d] ** 3
            if d * 2 in z:
                third = third + 3 * c * z[d] * z[d * 2]
            out[d * 3] = third + (s * z[d * 3] if d * 3 in z else 0)
    return out


def burgers() -> tuple[pn.Expr, Any, Callable[..., Any]]:
    """u_t + u u_x = nu u_xx: terms 1, x, t, xx."""
    dom = pn.domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", 2540)
    net = pn.nn(mlp("scalar"))
    u = net(x, t)
    nu = 0.01 / pn.np.pi
    loss = (u.d(t) + u * u.d(x) - nu * u.dd(x)).mse

    def by_hand(module: Any, points: jax.Array) -> jax.Array:
        z = {term: value[:, 0] for term, value in taylor(module, points, ("", "a", "b", "aa")).items()}
        return jnp.mean((z["b"] + z[""] * z["a"] - nu * z["aa"]) ** 2)

    return loss, net, by_hand


def kdv() -> tuple[pn.Expr, Any, Callable[..., Any]]:
    """u_t + u u_x + c u_xxx: terms 1, x, t, xx, xxx."""
    dom = pn.domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", 2540)
    net = pn.nn(mlp("scalar"))
    u = net(x, t)
    c = 0.0025
    loss = (u.d(t) + u * u.d(x) + c * u.d(x, x, x)).mse

    def by_hand(module: Any, points: jax.Array) -> jax.Array:
        z = {term: value[:, 0] for term, value in taylor(module, points, ("", "a", "b", "aa", "aaa")).items()}
        return jnp.mean((z["b"] + z[""] * z["a"] + c * z["aaa"]) ** 2)

    return loss, net, by_hand


def cavity() -> tuple[pn.Expr, Any, Callable[..., Any]]:
    """Steady Navier-Stokes, three outputs: terms 1, x, y, xx, yy."""
    dom = pn.domain.rectangle((0, 1), (0, 1))
    x, y = dom.variable("interior", 2540)
    net = pn.nn(mlp(3))
    u, v, p = net(x, y)
    re = 100.0
    lap = partial(pn.np.laplacian, coordinates=[x, y])
    momentum_x = (u * u.d(x) + v * u.d(y) + p.d(x) - lap(u) / re).mse
    momentum_y = (u * v.d(x) + v * v.d(y) + p.d(y) - lap(v) / re).mse
    loss = momentum_x + momentum_y + (u.d(x) + v.d(y)).mse

    def by_hand(module: Any, points: jax.Array) -> jax.Array:
        z = taylor(module, points, ("", "a", "b", "aa", "bb"))
        (u, v), (px, py) = (z[""][:, 0], z[""][:, 1]), (z["a"][:, 2], z["b"][:, 2])
        lap = (z["aa"] + z["bb"]) / re
        first = u * z["a"][:, 0] + v * z["b"][:, 0] + px - lap[:, 0]
        second = u * z["a"][:, 1] + v * z["b"][:, 1] + py - lap[:, 1]
        third = z["a"][:, 0] + z["b"][:, 1]
        return jnp.mean(first**2) + jnp.mean(second**2) + jnp.mean(third**2)

    return loss, net, by_hand


def hand_loop(by_hand: Callable[..., Any], module: Any, points: jax.Array) -> Callable[[int], Any]:
    """Steps of the hand-written problem, as many as asked for in one call; keeps its state."""
    tx = optax.adam(1.0)
    arrays, static = eqx.partition(module, eqx.is_inexact_array)

    @jax.jit
    def steps(arrays: Any, moments: Any, points: Any, count: Any) -> Any:
        def body(_: Any, carry: Any) -> Any:
            arrays, moments, _ = carry
            value, grads = jax.value_and_grad(lambda arrays: by_hand(eqx.combine(arrays, static), points))(arrays)
            updates, moments = tx.update(grads, moments, arrays)
            return optax.apply_updates(arrays, jax.tree.map(lambda u: RATE * u, updates)), moments, value

        return jax.lax.fori_loop(0, count, body, (arrays, moments, jnp.zeros(())))

    state = [arrays, tx.init(arrays)]

    def run(count: int) -> float:
        arrays, moments, value = jax.block_until_ready(steps(*state, points, count))
        state[:] = [arrays, moments]
        return float(value)

    return run


def compare(name: str, make: Callable[[], Any], steps: int, rounds: int) -> None:
    """Print the ratio of a problem: pinnace over hand-written."""
    loss, net, by_hand = make()
    module = net.module
    net.optimizer(optax.adam(1.0)).scale(RATE)
    crux = pn.core([loss])
    hand = hand_loop(by_hand, module, crux.state.points[0])
    began = time.perf_counter()
    run = crux.solve(steps, progress=False)
    ours_first = time.perf_counter() - began
    began = time.perf_counter()
    value = hand(steps)
    hand_first = time.perf_counter() - began
    agree = abs(value / float(run.history["total"][-1]) - 1)
    ours, theirs = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        crux.solve(steps, progress=False)
        ours.append((time.perf_counter() - began) / steps)
        began = time.perf_counter()
        hand(steps)
        theirs.append((time.perf_counter() - began) / steps)
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(
        f"{name:8} {1e3 * median(ours):7.2f} ms {1e3 * median(theirs):7.2f} ms by hand, ratio {median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}), "
        f"first {steps} steps {ours_first:.1f} s, {hand_first:.1f} s by hand, "
        f"losses differ by {agree:.1e}"
    )


def main() -> None:
    """Compare all problems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    for make in (burgers, kdv, cavity):
        compare(make.__name__, make, given.steps, given.rounds)


if __name__ == "__main__":
    main()
