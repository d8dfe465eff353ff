"""Arrays by name and a readable header in one file that is whole or is refused."""

import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import jax.numpy as jnp
import numpy as np

from pinnace._errors import CheckpointError

HEADER = "header.json"
OLD_HEADER = "header"
"""Where the header was in format 1, which had no digest."""
TAG = b"sha256:"
DIGEST = len(TAG) + 64
BLOCK = 1 << 20
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What reading an archive of an older format can fail with."""
STORED_AS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
"""What the bits of a number that NumPy does not know are kept in, by its size."""


def write_file(path: Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """A zip archive of .npy files, which `numpy.load` opens too; its comment is the digest of everything before.

    Written to a temporary file beside the path, synchronised, and renamed: until then the old file stays, and a kill
    leaves one of the two. Raises OSError where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with open(temporary, "w+b") as file:
            _archive(file, header, arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def read_file(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a file that `write_file` wrote, or that an older pinnace did.

    Nothing in the file is executed. Raises CheckpointError for any other file, a damaged one included.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}.")
    try:
        with open(path, "rb") as file:
            return _content(file, path)
    except CheckpointError:
        raise
    except UNREADABLE as wrong:
        raise CheckpointError(f"{path} is damaged, or no file that crux.save wrote: {wrong}") from wrong


def _archive(file: BinaryIO, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    foreign = {name: array.dtype.name for name, array in arrays.items() if _foreign(array)}
    with zipfile.ZipFile(file, "w") as archive:
        # without the time of day: the same state is the same file
        archive.writestr(
            zipfile.ZipInfo(HEADER), json.dumps({**header, "dtypes": foreign}, indent=1, ensure_ascii=False)
        )
        for name, array in arrays.items():
            plain = array.view(STORED_AS[array.dtype.itemsize]) if name in foreign else array
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, plain, allow_pickle=False)
        archive.comment = TAG + b"0" * 64
    end = file.seek(0, os.SEEK_END)
    digest = _digest(file, end - DIGEST)
    file.seek(end - DIGEST)
    file.write(TAG + digest.encode())


def _content(file: BinaryIO, path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - DIGEST))
    tail = file.read()
    if not tail.startswith(TAG):
        return _format_1(file)
    if tail[len(TAG) :].decode("ascii", "replace") != _digest(file, end - DIGEST):
        raise CheckpointError(f"{path} is damaged: its digest is not that of its content.")
    with zipfile.ZipFile(file) as archive:
        header = _table(archive.read(HEADER))
        names = [name.removesuffix(".npy") for name in archive.namelist() if name != HEADER]
        return header, {name: _array(archive, name, header.get("dtypes", {}).get(name)) for name in names}


def _format_1(file: BinaryIO) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A file without a digest: its members have check sums, which are looked at before anything is read."""
    with zipfile.ZipFile(file) as archive:
        if archive.testzip() is not None or f"{OLD_HEADER}.npy" not in archive.namelist():
            raise ValueError("its check sums are wrong, or it has no header")
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        arrays = {name: _array(archive, name, None) for name in names}
    return _table(arrays.pop(OLD_HEADER).tobytes()), arrays


def _table(text: bytes) -> dict[str, Any]:
    header = json.loads(text)
    if not isinstance(header, dict):
        raise ValueError("its header is no table")
    return header


def _array(archive: zipfile.ZipFile, name: str, dtype: str | None) -> np.ndarray:
    with archive.open(f"{name}.npy") as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
    return array if dtype is None else array.view(jnp.dtype(dtype))


def _foreign(array: np.ndarray) -> bool:
    """Whether NumPy's format has no word for these numbers, such as bfloat16."""
    return array.dtype.kind == "V" or array.dtype.num >= 256


def _digest(file: BinaryIO, length: int) -> str:
    found = hashlib.sha256()
    file.seek(0)
    while length > 0:
        block = file.read(min(BLOCK, length))
        if not block:
            break
        found.update(block)
        length -= len(block)
    return found.hexdigest()


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut, where the system can do that."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
