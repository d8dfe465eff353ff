"""The peers: installed from the package index into environments of their own, run as processes of their own.

They take steps when asked. A worker is a script in `peers/`; what is said is in `peers/protocol.py`.
"""

import importlib.metadata as metadata
import json
import os
import select
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.sides import Built

CACHE = Path.home() / ".cache" / "pinnace-benchmarks"
WORKERS = Path(__file__).parent / "peers"
LAPLACIANS = ("poisson", "laplacian10", "laplacian100", "biharmonic")


class PeerError(Exception):
    """A peer that could not be installed, does not offer a problem, failed, or took too long."""


@dataclass(frozen=True)
class Peer:
    """A library to compare with: what to install, which script drives it, which of its ways to try."""

    name: str
    title: str
    package: str
    requirements: tuple[str, ...]
    worker: str
    ways: tuple[str, ...]
    other_ways: tuple[str, ...] = ()
    """For problems without a Laplacian, where those are others."""
    alone: tuple[str, ...] = ()
    """Installed without what it asks for."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def ways_for(self, problem: str) -> tuple[str, ...]:
        """Its ways of solving a problem; the fastest counts. Those that were slower everywhere are not in the list."""
        return self.ways if problem in LAPLACIANS or not self.other_ways else self.other_ways


PEERS = {
    peer.name: peer
    for peer in (
        Peer("jinns", "jinns", "jinns", ("jinns==1.10.2",), "with_jinns", ("loop",), ("rev",)),
        Peer(
            "deepxde-jax",
            "DeepXDE, JAX",
            "deepxde",
            ("deepxde==1.15.0", "jax", "flax", "optax"),
            "with_deepxde",
            ("reverse", "forward"),
            variables={"DDE_BACKEND": "jax"},
        ),
        Peer(
            "deepxde-torch",
            "DeepXDE, PyTorch",
            "deepxde",
            ("deepxde==1.15.0", "torch==2.13.0+cpu"),
            "with_deepxde",
            ("reverse",),
            # threads that spin while they wait would slow the side whose turn is next, and a busy machine tenfold
            variables={"DDE_BACKEND": "pytorch", "OMP_WAIT_POLICY": "PASSIVE"},
        ),
        Peer(
            "jno",
            "jNO",
            "jax-neural-operators",
            # by hand, because it asks for JAX with CUDA: gigabytes that a CPU does not use
            (
                "jax",
                "equinox",
                "optax",
                "orbax-checkpoint",
                "foundax",
                "pygmsh",
                "cloudpickle",
                "einops",
                "matplotlib",
                "pylotte",
                "shapely",
                "paramax",
            ),
            "with_jno",
            ("solve",),
            alone=("jax-neural-operators==0.2.3",),
        ),
    )
}


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(peer: Peer, cache: Path = CACHE, seconds: float = 600) -> Path:
    """The interpreter of a peer's environment, made if it is not there; on the JAX of this process.

    Raises PeerError where the package index does not give what the peer needs.
    """
    folder = cache / peer.name
    pins = [f"jax=={metadata.version('jax')}", f"jaxlib=={metadata.version('jaxlib')}"]
    wanted = json.dumps([sys.version, peer.requirements, peer.alone, pins])
    done = folder / "installed.json"
    if done.exists() and done.read_text() == wanted:
        return python_of(folder)
    print(f"installing {peer.title} into {folder}", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins))
    pip = [str(python_of(folder)), "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    commands = [[*pip, "--constraint", str(constraints), *peer.requirements]]
    if peer.alone:
        commands.append([*pip, "--no-deps", *peer.alone])
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise PeerError(f"installing took longer than {seconds:.0f} s") from None
        except subprocess.CalledProcessError as failed:
            raise PeerError(f"not installed: {last_line(failed.stderr)}") from None
    done.write_text(wanted)
    return python_of(folder)


def version(python: Path, package: str) -> str:
    """The version of a package in an environment."""
    command = [str(python), "-c", f"import importlib.metadata as m; print(m.version({package!r}))"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write_task(path: Path, points: Any, layers: Sequence[tuple[Any, Any]]) -> None:
    """What `peers/protocol.py` reads."""
    arrays: dict[str, Any] = {"points": np.asarray(points)}
    for k, (weight, bias) in enumerate(layers):
        arrays[f"weight{k}"], arrays[f"bias{k}"] = np.asarray(weight), np.asarray(bias)
    np.savez(path, **arrays)


class Worker:
    """A peer on one problem in a process of its own."""

    def __init__(self, peer: Peer, python: Path, problem: str, task: Path, way: str, limit: float) -> None:
        self.way = way
        self._limit = limit
        self._peak = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="pinnace-peer-")
        # a home of its own, so that no cache of compiled programs shortens the first step
        variables = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "JAX", "XLA"))}
        variables |= {"HOME": self._folder.name, "JAX_PLATFORMS": "cpu", **peer.variables}
        self._errors = (Path(self._folder.name) / "stderr").open("w+")
        self._process: Any = subprocess.Popen(
            [str(python), str(WORKERS / f"{peer.worker}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=self._folder.name,
            env=variables,
        )
        try:
            found = self._ask([str(task), problem, way])
        except PeerError:
            self.close()
            raise
        self.imported = found["imported"]
        self.built = Built(self.steps, found["loss"], found["first"], float("nan"), found["memory"])

    def steps(self, count: int) -> float:
        """The seconds of so many steps."""
        found = self._ask(count)
        self.built.peak = found["peak"]
        return found["seconds"] * count / found["count"]

    def _ask(self, question: Any) -> Any:
        process = self._process
        try:
            process.stdin.write((json.dumps(question) + "\n").encode())
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], self._limit)
        except BrokenPipeError:
            ready = [process.stdout]
        if not ready:
            raise PeerError(f"no answer in {self._limit:.0f} s")
        line = process.stdout.readline()
        if not line:
            process.wait()
            self._errors.seek(0)
            raise PeerError(f"failed: {last_line(self._errors.read())}")
        found = json.loads(line)
        if "error" in found:
            raise PeerError(found["error"])
        return found

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()
        self._folder.cleanup()


def last_line(text: str | None) -> str:
    """What an error says, in one line."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip(" -")]
    told = [line for line in lines if "rror" in line.split(":")[0]]
    return (told or lines or ["without a word"])[-1][:160]


def fastest(peer: Peer, python: Path, problem: str, task: Path, limit: float) -> Worker:
    """The worker with the peer's fastest way of solving a problem.

    Raises PeerError where no way solves it.
    """
    best: Worker | None = None
    best_seconds, why = float("inf"), PeerError("n/a")
    for way in peer.ways_for(problem):
        try:
            worker = Worker(peer, python, problem, task, way, limit)
        except PeerError as failed:
            why = failed
            continue
        try:
            seconds = min(worker.steps(5) for _ in range(2))
        except PeerError as failed:
            worker.close()
            why = failed
            continue
        if seconds < best_seconds:
            if best is not None:
                best.close()
            best, best_seconds = worker, seconds
        else:
            worker.close()
    if best is None:
        raise why
    return best
