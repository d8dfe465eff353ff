"""What a peer's process says and hears: one JSON object a line. Imports nothing of the peer and nothing of pinnace.

A worker gives `serve` a function from a task to `(loss, steps)`: what tells the loss before the first step, asked for
after it, and a function that takes about so many steps, returns when they are done, and tells how many there were. What
libraries print goes to stderr.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BEGAN = time.perf_counter()
"""Before the peer is imported, if the protocol is imported first."""


class NotOffered(Exception):
    """The peer cannot solve this problem, with the reason."""


@dataclass(frozen=True)
class Task:
    """A problem as arrays: its name, points [n, d], weights [out, in] and biases [out] of each layer, the way to go."""

    problem: str
    points: Any
    layers: list[tuple[Any, Any]]
    way: str

    @property
    def sizes(self) -> list[int]:
        """The widths of the layers, those of input and output included."""
        return [self.points.shape[1], *(len(bias) for _, bias in self.layers)]


def read(path: str, problem: str, way: str) -> Task:
    """The task that the parent wrote as an npz file."""
    import numpy as np

    with np.load(path) as arrays:
        count = sum(name.startswith("weight") for name in arrays)
        layers = [(arrays[f"weight{k}"], arrays[f"bias{k}"]) for k in range(count)]
        return Task(problem, arrays["points"], layers, way)


def serve(
    build: Callable[[Task], tuple[Callable[[], Any], Callable[[int], int]]], memory: Callable[[], int | None]
) -> None:
    """Answer the parent until it closes the pipe. `memory` tells the bytes of the largest compiled program."""
    imported = time.perf_counter() - BEGAN
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**found: Any) -> None:
        answers.write(json.dumps(found) + "\n")
        answers.flush()

    path, problem, way = json.loads(sys.stdin.readline())
    try:
        task = read(path, problem, way)
        began = time.perf_counter()
        loss, steps = build(task)
        steps(1)
        first = time.perf_counter() - began
    except NotOffered as why:
        answer(error=str(why))
        return
    answer(loss=float(loss()), imported=imported, first=first, memory=memory())
    for line in sys.stdin:
        began = time.perf_counter()
        count = steps(json.loads(line))
        seconds = time.perf_counter() - began
        answer(seconds=seconds, count=count, peak=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    os._exit(0)  # whatever threads the peer has left waiting


def compiled_memory() -> int | None:
    """The bytes of temporaries of the largest program that JAX has compiled in this process."""
    from jax.extend.backend import get_backend

    live = get_backend().live_executables()
    return max((one.get_compiled_memory_stats().temp_size_in_bytes for one in live), default=None)
