"""The sink for TensorBoard: event files, read frame by frame."""

import struct
import sys

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import masked_crc32c

import pinnace as pn

MASKED = {b"123456789": ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF}
"""The check value of CRC-32C, E3069283 for these digits, masked as TFRecord says."""


def events(folder):
    """All events below a folder, in the order in which TensorBoard reads them."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        content = path.read_bytes()
        while content:
            (size,) = struct.unpack("<Q", content[:8])
            frame, content = content[: size + 16], content[size + 16 :]
            assert struct.unpack("<I", frame[8:12]) == (masked_crc32c(frame[:8]),)
            assert struct.unpack("<I", frame[-4:]) == (masked_crc32c(frame[12:-4]),)
            found.append(Event.FromString(frame[12:-4]))
    return found


def shown(folder):
    """What TensorBoard shows, `{tag: {step: value}}`: an event that starts a session hides later steps before it."""
    seen = {}
    for event in events(folder):
        if event.session_log.status == SessionLog.START:
            seen = {tag: [point for point in points if point[0] < event.step] for tag, points in seen.items()}
        for value in event.summary.value:
            seen.setdefault(value.tag, []).append((event.step, value.simple_value))
    assert all(len(points) == len(dict(points)) for points in seen.values()), "a step is shown twice"
    return {tag: dict(points) for tag, points in seen.items()}


def test_the_checksum_is_that_of_the_format():
    assert all(masked_crc32c(text) == number for text, number in MASKED.items())


def test_numbers_and_components_are_tags(tmp_path):
    log = pn.sinks.tensorboard(tmp_path / "run")
    log(0, {"total": np.float32(0.5), "w(pde)": np.array([1.0, np.inf])})
    log(1, {"total": np.float32(0.25)})
    log.flush()
    first = events(tmp_path / "run")[0]
    assert first.file_version == "brain.Event:2" and first.wall_time > 1e9
    assert shown(tmp_path / "run") == {"total": {0: 0.5, 1: 0.25}, "w(pde)[0]": {0: 1.0}, "w(pde)[1]": {0: np.inf}}


@pytest.mark.parametrize("flushed", [True, False])
def test_steps_that_come_again_hide_those_that_were(tmp_path, flushed):
    log = pn.sinks.tensorboard(tmp_path)
    for step in (0, 1, 2, 3, 1, 2):
        log(step, {"total": np.float64(step)})
        if flushed:
            log.flush()
    again = pn.sinks.tensorboard(tmp_path)
    again(2, {"total": np.float64(-2)})
    log.flush()
    again.flush()
    assert shown(tmp_path) == {"total": {0: 0, 1: 1, 2: -2}}


def test_of_many_steps_some_are_written(tmp_path):
    log = pn.sinks.tensorboard(tmp_path, every=10)
    for step in range(25):
        log(step, {"total": np.float64(step)})
    log.flush()
    assert shown(tmp_path) == {"total": {0: 0, 10: 10, 20: 20}}


def test_what_cannot_be_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(pn.PinnaceError, match="is a file"):
        pn.sinks.tensorboard(tmp_path / "file")
    with pytest.raises(pn.PinnaceError, match="every= is a number of steps"):
        pn.sinks.tensorboard(tmp_path, every=0)


def test_without_the_package_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX.proto", None)
    with pytest.raises(pn.PinnaceError, match=r"pip install \"pinnace\[tensorboard\]\""):
        pn.sinks.tensorboard(tmp_path)
