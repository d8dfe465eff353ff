"""A process that is killed at any moment goes on bit for bit. PINNACE_KILLS=20 tries more than CI has time for."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed.py")
STEPS = 600
KILLS = int(os.environ.get("PINNACE_KILLS", "1"))


def start(path, cache):
    environment = {
        **os.environ,
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path), str(STEPS)], stdout=subprocess.PIPE, text=True, env=environment
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The digest of the run that nobody disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    process = start(folder / "run.npz", folder / "cache")
    process.communicate()
    assert process.returncode == 0
    return (folder / "run.digest").read_text(), folder / "cache"


def test_a_run_killed_at_random_moments_is_bit_equal_to_one_that_was_not(tmp_path, whole):
    digest, cache = whole
    moments = random.Random(7)
    path = tmp_path / "run.npz"
    begins = []
    for _ in range(KILLS):
        process = start(path, cache)
        begins.append(int(process.stdout.readline().split()[1]))
        if moments.random() < 0.75:
            process.stdout.readline()  # it takes steps by now
        try:
            process.wait(timeout=moments.uniform(0.0, 1.0))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        assert not path.exists() or path.stat().st_size > 0
    process = start(path, cache)
    process.communicate()
    assert process.returncode == 0
    print("began at", begins)
    assert path.with_suffix(".digest").read_text() == digest, begins
    assert not [file for file in tmp_path.iterdir() if "partial" in file.name]
