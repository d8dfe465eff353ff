"""Event files of TensorBoard."""

import itertools
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pinnace._errors import PinnaceError
from pinnace.sinks._components import components
from pinnace.sinks._log import Log, numbers_of, shapes_of

NUMBERS = itertools.count()


class Events(Log):
    """An event a step; made by `tensorboard`."""

    def __init__(self, folder: str | os.PathLike[str], every: int) -> None:
        try:
            from tensorboardX.proto import event_pb2, summary_pb2
            from tensorboardX.record_writer import masked_crc32c
        except ImportError as missing:
            raise PinnaceError(
                'TensorBoard needs the package tensorboardX. Install it, `pip install "pinnace[tensorboard]"`.'
            ) from missing
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise PinnaceError(f"every= is a number of steps, at least 1; got {every!r}.")
        if Path(folder).exists() and not Path(folder).is_dir():
            raise PinnaceError(f"{folder} is a file; TensorBoard reads a folder.")
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(NUMBERS)}"
        super().__init__(Path(folder) / name)
        self.every = every
        self._events: Any = event_pb2
        self._summaries: Any = summary_pb2
        self._checksum = masked_crc32c
        self._tags: dict[tuple[Any, ...], list[str]] = {}

    def __call__(self, step: int, values: Mapping[str, Any], /) -> None:
        """Take the values of one step."""
        if step % self.every == 0:
            super().__call__(step, values)

    def _rewind(self, step: int, values: Mapping[str, Any]) -> None:
        begun = self._events.SessionLog(status=self._events.SessionLog.START)
        self._rows.append((step, self._record(self._events.Event(wall_time=time.time(), step=step, session_log=begun))))

    def _row(self, step: int, values: Mapping[str, Any]) -> bytes:
        numbers, kind = numbers_of(values)
        tags = self._tags.get(kind)
        if tags is None:
            named = (components(name, shape) for name, shape in shapes_of(values).items())
            tags = self._tags[kind] = [tag for several in named for tag in several]
        value = self._summaries.Summary.Value
        pairs = zip(tags, map(float, numbers), strict=True)
        summary = self._summaries.Summary(value=[value(tag=tag, simple_value=number) for tag, number in pairs])
        return self._record(self._events.Event(wall_time=time.time(), step=step, summary=summary))

    def _prepare(self) -> None:
        if not self._end:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "wb") as file:
                end = file.write(self._record(self._events.Event(wall_time=time.time(), file_version="brain.Event:2")))
            self._end = self._size = end

    def _record(self, event: Any) -> bytes:
        """Length, its checksum, content, its checksum: the frame of TFRecord."""
        content = event.SerializeToString()
        length = struct.pack("<Q", len(content))
        return b"".join(
            (length, struct.pack("<I", self._checksum(length)), content, struct.pack("<I", self._checksum(content)))
        )


def tensorboard(folder: str | os.PathLike[str], every: int = 1) -> Events:
    """A sink that writes for TensorBoard: `tensorboard --logdir runs` shows the runs below a folder.

    Names are the tags; of an array each component has one, "w[0]". Of the steps those that `every` divides are written:
    one with ten numbers takes some 25 microseconds, so where steps are short, `every=100` costs nothing.

    A run that is resumed, with the same folder, hides what was there of its steps and later ones. Needs the package
    tensorboardX, `pip install "pinnace[tensorboard]"`; raises PinnaceError where it is missing.

    >>> import tempfile, numpy as np, pinnace as pn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sink = pn.sinks.tensorboard(f"{folder}/run")
    ...     sink(0, {"total": np.float32(0.3)})
    ...     sink.flush()
    """
    return Events(folder, every)
