"""The whole state in one file: arrays by name, a readable header, nothing that could be executed."""

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pinnace._errors import CheckpointError
from pinnace.train.history import History

FORMAT = 1


@dataclass(frozen=True)
class Saved:
    """What a file holds: `arrays` by name, the `history`, and the `header` (losses, versions, steps)."""

    arrays: dict[str, np.ndarray]
    history: History
    header: dict[str, Any]


def write(path: str | os.PathLike[str], state: Any, history: History, header: dict[str, Any]) -> None:
    """Write to a temporary file beside the path, then rename: the old file stays until the new one is whole."""
    target = Path(path)
    names = list(history)
    arrays = {f"state{name}": np.asarray(leaf) for name, leaf in named_leaves(state)}
    for k, name in enumerate(names):
        arrays[f"history/{k}/values"] = history[name]
        arrays[f"history/{k}/steps"] = history.steps(name)
    full = {"format": FORMAT, "history": names, **header}
    header_bytes = np.frombuffer(json.dumps(full).encode(), np.uint8)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, header=header_bytes, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Saved:
    """The arrays and the history of a saved crux, without the problem that it belongs to.

    Raises CheckpointError where the file does not exist, is damaged, or is no file of pinnace.

    >>> import pinnace as pn
    >>> pn.load("nowhere.npz")
    Traceback (most recent call last):
    ...
    pinnace._errors.CheckpointError: there is no file nowhere.npz.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"there is no file {path}.")
    try:
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
        header = json.loads(content.pop("header").tobytes())
        names = header["history"]
    except (zipfile.BadZipFile, ValueError, KeyError, OSError, EOFError) as wrong:
        raise CheckpointError(f"{path} is damaged, or no file that crux.save wrote: {wrong}") from wrong
    history = History()
    for k, name in enumerate(names):
        history.append(name, content.pop(f"history/{k}/steps"), content.pop(f"history/{k}/values"))
    arrays = {name.removeprefix("state"): array for name, array in content.items()}
    return Saved(arrays, history, header)


def restore(saved: Saved, template: Any, header: dict[str, Any], path: Any) -> Any:
    """The state of a file in the shape of a template, the state of the problem at hand.

    Raises CheckpointError, and says what differs, where the file belongs to another problem.
    """
    differences = _differences("losses", saved.header["losses"], header["losses"])
    expected = dict(named_leaves(template))
    for name in dict.fromkeys((*expected, *saved.arrays)):
        ours, theirs = expected.get(name), saved.arrays.get(name)
        shown = tuple("missing" if a is None else f"{a.dtype}{list(a.shape)}" for a in (theirs, ours))
        if shown[0] != shown[1]:
            differences.append(f"{name}: {shown[0]} in the file, {shown[1]} here")
    if differences:
        listed = "\n  ".join(differences[:12])
        raise CheckpointError(f"{path} holds the state of another problem:\n  {listed}")
    leaves = [jnp.asarray(saved.arrays[name]) for name in expected]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


def named_leaves(tree: Any) -> list[tuple[str, Any]]:
    """The leaves of a tree by the path to each."""
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def _differences(what: str, theirs: Sequence[str], ours: Sequence[str]) -> list[str]:
    found = [f"{what}: {text} in the file only" for text in theirs if text not in ours]
    return found + [f"{what}: {text} here only" for text in ours if text not in theirs]
