"""The whole state in one file: arrays by name, a readable header, nothing that could be executed."""

import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pinnace._errors import CheckpointError, PinnaceWarning
from pinnace.expr import text
from pinnace.lower import Compiled
from pinnace.step import is_key
from pinnace.train.container import read_file, write_file
from pinnace.train.fingerprint import Told, fingerprint, flat
from pinnace.train.history import History

FORMAT = 2
LIBRARIES = ("jax", "jaxlib", "equinox", "optax", "numpy")
SHOWN = 12
"""How many differences an error lists."""


@dataclass(frozen=True)
class Saved:
    """What a file holds: `arrays` by name, the `history`, and the `header` (losses, versions, steps)."""

    arrays: dict[str, np.ndarray]
    history: History
    header: dict[str, Any]

    def part(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of one tree, "state" or "best", by the path to each."""
        return {path.removeprefix(name): array for path, array in self.arrays.items() if path.startswith(name)}


def write(path: str | os.PathLike[str], trees: Mapping[str, Any], history: History, header: Mapping[str, Any]) -> None:
    """Trees of arrays, the history and the header to one file, whole or not at all; raises OSError."""
    arrays = {f"{tree}{name}": _stored(leaf) for tree, root in trees.items() for name, leaf in named_leaves(root)}
    names = list(history)
    for k, name in enumerate(names):
        arrays[f"history/{k}/values"] = history[name]
        arrays[f"history/{k}/steps"] = history.steps(name)
    write_file(Path(path), {"format": FORMAT, **header, "history": names}, arrays)


def load(path: str | os.PathLike[str]) -> Saved:
    """The arrays and the history of a saved crux, without the problem that it belongs to.

    `arrays["state.params[0].layers[0].weight"]` is what its name says; `header` tells losses, steps and versions.
    Files of all older versions of pinnace can be read, and none can execute anything. Raises CheckpointError where the
    file does not exist, is damaged, or is no file of pinnace.

    >>> import pinnace as pn
    >>> pn.load("nowhere.npz")
    Traceback (most recent call last):
    ...
    pinnace._errors.CheckpointError: there is no file nowhere.npz.
    """
    header, arrays = read_file(Path(path))
    history = History()
    try:
        for k, name in enumerate(header["history"]):
            history.append(str(name), arrays.pop(f"history/{k}/steps"), arrays.pop(f"history/{k}/values"))
    except (KeyError, TypeError):
        raise CheckpointError(f"{path} is no file that crux.save wrote: its header has no history.") from None
    return Saved(arrays, history, header)


def header_of(compiled: Compiled) -> dict[str, Any]:
    """What a file tells of a problem: its losses and points in words and as a digest, versions, the machine."""
    program, names = compiled.program, compiled.names.exact()
    losses = list(zip(program.loss_names, compiled.losses, program.losses, strict=True))
    fields = zip(program.names, program.statics, strict=True)
    return {
        "entries": [text(entry, names, top=True) for entry in compiled.written],
        "losses": {name: text(loss, names) for name, loss, _ in losses},
        "fields": {name: flat(Told()(static.tree)) for name, static in fields},
        "points": [repr(points) for points in program.points],
        "balancers": [str(cell.name) for cell in compiled.cells],
        "fingerprints": {name: fingerprint([loss]) for name, _, loss in losses}
        | {"the sum of all entries": fingerprint(program.entries)},
        "numbers": str(jnp.result_type(float)),
        "versions": {name: version(name) for name in ("pinnace", *LIBRARIES)},
        "machine": {"processor": jax.devices()[0].device_kind, "threads": _threads()},
    }


def check(saved: Saved, template: Any, ours: Mapping[str, Any], path: Any, strict: bool) -> None:
    """Whether a file holds a state of the problem at hand, made by these versions.

    Raises CheckpointError that lists what differs; warns where only the bits of further steps may differ.
    """
    theirs = saved.header
    if theirs.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} was written by another version of pinnace, in format {theirs.get('format')}; this one goes on "
            f"from files of format {FORMAT}. pn.load({str(path)!r}) gives its arrays and history."
        )
    found = _other_problem(theirs, ours) + _other_arrays(saved.part("state"), template)
    if found:
        more = [f"and {len(found) - SHOWN} more"] * (len(found) > SHOWN)
        listed = "\n  ".join(found[:SHOWN] + more)
        raise CheckpointError(f"{path} holds the state of another problem:\n  {listed}")
    versions = _changed(theirs["versions"], ours["versions"])
    if versions and strict:
        raise CheckpointError(
            f"{path} was written by other versions, so that training would not go on bit for bit: {versions}. To go on "
            f"all the same write crux.load({str(path)!r}, strict=False)."
        )
    machine = _changed(theirs["machine"], ours["machine"])
    if machine:
        warnings.warn(
            f"{path} comes from another machine: {machine}. Training goes on, but the bits of further steps may "
            f"differ.",
            PinnaceWarning,
            stacklevel=4,
        )


def restore(arrays: Mapping[str, np.ndarray], template: Any) -> Any:
    """Arrays by path as a tree in the shape of a template, which they fit."""
    leaves = [_live(arrays[name], leaf) for name, leaf in named_leaves(template)]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


def fits(arrays: Mapping[str, np.ndarray], template: Any) -> bool:
    """Whether arrays are those of a template."""
    return not _other_arrays(arrays, template)


def named_leaves(tree: Any) -> list[tuple[str, Any]]:
    """The leaves of a tree by the path to each."""
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def _other_problem(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    found = []
    for part in ("entries", "points", "balancers"):
        found += [f"{part}: {line} in the file only" for line in theirs[part] if line not in ours[part]]
        found += [f"{part}: {line} here only" for line in ours[part] if line not in theirs[part]]
    for name in dict.fromkeys((*theirs["losses"], *ours["losses"])):
        pair = [losses["losses"].get(name, "missing") for losses in (theirs, ours)]
        found += [f"losses: {name} is {pair[0]} in the file, {pair[1]} here"] * (pair[0] != pair[1])
    for name in dict.fromkeys((*theirs["fields"], *ours["fields"])):
        parts = zip_longest(theirs["fields"].get(name, ()), ours["fields"].get(name, ()), fillvalue="missing")
        found += [f"fields: {name} has {one} in the file, {other} here" for one, other in parts if one != other][:1]
    if theirs["numbers"] != ours["numbers"]:
        found.append(f"numbers: {theirs['numbers']} in the file, {ours['numbers']} here")
    if not found:
        known = theirs["fingerprints"]
        found = [
            f"{name} reads the same, but its data, its points or its functions differ"
            for name, digest in ours["fingerprints"].items()
            if known.get(name) != digest
        ]
    return found


def _other_arrays(arrays: Mapping[str, np.ndarray], template: Any) -> list[str]:
    expected = {name: _told(_stored(leaf)) for name, leaf in named_leaves(template)}
    known = {name: _told(array) for name, array in arrays.items()}
    return [
        f"state{name}: {known.get(name, 'missing')} in the file, {expected.get(name, 'missing')} here"
        for name in dict.fromkeys((*expected, *known))
        if known.get(name) != expected.get(name)
    ]


def _told(array: np.ndarray) -> str:
    return f"{array.dtype}{list(array.shape)}"


def _changed(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name} {theirs.get(name)} in the file, {ours.get(name)} here"
        for name in dict.fromkeys((*theirs, *ours))
        if theirs.get(name) != ours.get(name)
    )


def _stored(leaf: Any) -> np.ndarray:
    """A leaf as a file has it: of a random key its words."""
    return np.asarray(jax.random.key_data(leaf) if is_key(leaf) else leaf)


def _live(array: np.ndarray, like: Any) -> Any:
    if is_key(like):
        return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(like))
    return jnp.asarray(array)


def _threads() -> int:
    """How many threads XLA may use on the processor."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
