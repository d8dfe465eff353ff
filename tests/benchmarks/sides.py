"""The sides that are compared in one process: pinnace, and a loss written by hand in a loop of its own."""

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.extend.backend import get_backend

import pinnace as pn
from tests.benchmarks.peers.coefficients import RATE
from tests.benchmarks.taylor import Layers, Loss

COMPILING = ("/jax/core/compile/jaxpr_trace_duration", "/jax/core/compile/jaxpr_to_mlir_module_duration")
BACKEND = "/jax/core/compile/backend_compile_duration"


@dataclass
class Built:
    """A side that is ready to be timed."""

    steps: Callable[[int], float]
    """Takes so many steps and returns the seconds that they took."""
    loss: float
    """Before the first step."""
    first: float
    """Seconds from the arrays of the problem to the end of the first step."""
    compile: float
    """Of these, what JAX spent on tracing, lowering and compiling."""
    memory: float | None = None
    """Bytes that the largest compiled program needs beside its arguments and results."""
    peak: float | None = None
    """The most memory that the side's process took, in bytes, where it has one."""


class Clock:
    """Seconds and compilations, as JAX reports them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.compilations = 0
        jax.monitoring.register_event_duration_secs_listener(self._note)

    def _note(self, event: str, duration_secs: float, **kwargs: Any) -> None:
        if event == BACKEND:
            self.compilations += 1
        if event == BACKEND or event in COMPILING:
            self.seconds += duration_secs


CLOCK = Clock()


@contextmanager
def measured() -> Any:
    """What happens inside: a dict that then holds "first", "compile" and "memory"."""
    known = {id(executable) for executable in get_backend().live_executables()}
    found: dict[str, Any] = {}
    began, compiling = time.perf_counter(), CLOCK.seconds
    yield found
    found.update(first=time.perf_counter() - began, compile=CLOCK.seconds - compiling)
    new = [executable for executable in get_backend().live_executables() if id(executable) not in known]
    found["memory"] = max((one.get_compiled_memory_stats().temp_size_in_bytes for one in new), default=None)


def timed(take: Callable[[int], Any]) -> Callable[[int], float]:
    """Steps that tell how long they took."""

    def steps(count: int) -> float:
        began = time.perf_counter()
        take(count)
        return time.perf_counter() - began

    return steps


def pinnace(loss: Callable[[Any], Any], module: Any, tx: Any = None) -> tuple[Built, Any]:
    """A loss in pinnace as a function of its field; also the crux."""
    with measured() as found:
        net = pn.nn(module).optimizer(tx or optax.adam(1.0)).scale(RATE)
        crux = pn.core([loss(net)])
        run = crux.solve(1, progress=False)
    value = float(run.history["total"][0])
    return Built(timed(lambda count: crux.solve(count, progress=False)), value, **found), crux


def by_hand(loss: Loss, layers: Layers, points: Any, tx: Any = None) -> Built:
    """A loss written by hand: loss, gradient, Adam, in one jitted loop of run-time length."""
    tx = tx or optax.adam(RATE)

    @jax.jit
    def loop(layers: Layers, moments: Any, points: Any, count: Any) -> Any:
        def body(_: Any, carry: Any) -> Any:
            layers, moments, _ = carry
            value, gradient = jax.value_and_grad(loss)(layers, points)
            updates, moments = tx.update(gradient, moments, layers)
            return optax.apply_updates(layers, updates), moments, value

        return jax.lax.fori_loop(0, count, body, (layers, moments, jnp.zeros((), points.dtype)))

    state: list[Any] = []

    def take(count: int) -> Any:
        layers, moments, value = jax.block_until_ready(loop(*state, points, count))
        state[:] = [layers, moments]
        return value

    with measured() as found:
        state[:] = [layers, tx.init(layers)]
        value = float(take(1))
    return Built(timed(take), value, **found)
