"""Fixtures of the whole suite.

Random examples are the same in every run; `HYPOTHESIS_PROFILE=search` looks for new ones. Most of the time goes into
compiling, so the compiler does without most of its optimizations here; `PINNACE_OPTIMIZED=1` tests with them, and what
runs in processes of its own (kills, devices, the command line) has them in any case.
"""

import os
from pathlib import Path

import jax
import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
jax.config.update("jax_disable_most_optimizations", "PINNACE_OPTIMIZED" not in os.environ)


@pytest.fixture
def x64():
    """Double precision for one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module", autouse=True)
def room():
    """Forget what was compiled before mappings run out: a system allows some 65,000, and XLA crashes beyond."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > 16_000:
        jax.clear_caches()
