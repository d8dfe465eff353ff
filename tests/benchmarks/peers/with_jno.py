"""jNO in a process of its own: its language, its `solve` with fused inner steps, held between them by a callback."""

import protocol  # isort: skip  (first, so that the import is timed)

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

import equinox as eqx
import foundax
import jax
import jax.numpy as jnp
import jno
import numpy as np
import optax
from coefficients import BURGERS, KDV, RATE, REYNOLDS
from jno.utils.adaptive.callbacks import Callback

BLOCK = 5
"""Steps that jNO fuses into one call."""


class Turns(Callback):
    """Lets `solve` take a block when asked for, and tells when it is done."""

    def __init__(self) -> None:
        self.go: SimpleQueue[None] = SimpleQueue()
        self.done: SimpleQueue[None] = SimpleQueue()

    def on_solve_begin(self, **_: Any) -> None:
        self.go.get()

    def on_epoch_end(self, *, total_loss: Any, **_: Any) -> bool:
        jax.block_until_ready(total_loss)
        self.done.put(None)
        self.go.get()
        return False

    def take(self, solving: Future[Any]) -> None:
        """One block. Raises what `solve` raised."""
        self.go.put(None)
        while True:
            try:
                return self.done.get(timeout=0.5)
            except Empty:
                if solving.done():
                    solving.result()
                    raise protocol.NotOffered("its solve ended early") from None


def residuals(problem: str, u: Any, at: list[Any]) -> list[Any]:
    """The losses of a problem, written as jNO's users write them."""
    if problem == "cavity":
        (x, y), (u, v, p) = at, u
        return [
            (u * u.d(x) + v * u.d(y) + p.d(x) - u.laplacian(x, y) / REYNOLDS).mse,
            (u * v.d(x) + v * v.d(y) + p.d(y) - v.laplacian(x, y) / REYNOLDS).mse,
            (u.d(x) + v.d(y)).mse,
        ]
    if problem in ("poisson", "laplacian10", "laplacian100"):
        return [(u.laplacian(*at) + 1).mse]
    if problem == "biharmonic":
        return [(u.laplacian(*at).laplacian(*at) + 1).mse]
    x, t = at
    linear = {
        "burgers": lambda: -BURGERS * u.dd(x),
        "kdv": lambda: KDV * u.dd(x).d(x),
        "kuramoto": lambda: u.dd(x) + u.dd(x).dd(x),
    }[problem]
    return [(u.d(t) + u * u.d(x) + linear()).mse]


def build(task: protocol.Task) -> tuple[Callable[[], Any], Callable[[int], int]]:
    """jNO's problem, and its steps in blocks."""
    sizes = task.sizes
    module = foundax.mlp(sizes[0], sizes[-1], jnp.tanh, sizes[1], len(sizes) - 2, key=jax.random.key(0))
    layers = lambda module: [*module.hidden_layers, module.output_layer]  # noqa: E731
    where = lambda module: [part for layer in layers(module) for part in (layer.weight, layer.bias)]  # noqa: E731
    module = eqx.tree_at(where, module, [jnp.asarray(part) for layer in task.layers for part in layer])
    domain = jno.domain.from_array({"interior": np.asarray(task.points)})
    *at, _ = domain.variable("interior")
    if len(at) != sizes[0]:
        raise protocol.NotOffered(f"its point sets have {len(at)} coordinates, not {sizes[0]}")
    net = jno.nn.wrap(module)
    net.optimizer(optax.adam(RATE))
    u = net(jno.np.concat(at, axis=-1))
    fields = [u[..., k : k + 1] for k in range(sizes[-1])] if sizes[-1] > 1 else u
    losses = residuals(task.problem, fields, at)
    crux = jno.core(losses, domain)
    start = [np.asarray(value) for value in crux.eval(losses)]
    turns = Turns()

    solving = ThreadPoolExecutor(1).submit(crux.solve, epochs=10**9, inner_steps=BLOCK, callbacks=[turns])

    def steps(count: int) -> int:
        blocks = -(-count // BLOCK)
        for _ in range(blocks):
            turns.take(solving)
        return blocks * BLOCK

    return lambda: sum(value.item() for value in start), steps


if __name__ == "__main__":
    protocol.serve(build, protocol.compiled_memory)
