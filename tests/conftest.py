"""Fixtures of the whole suite.

Random examples are the same in every run; `HYPOTHESIS_PROFILE=search` looks for new ones. `PINNACE_FUZZ=20` takes
twenty times as many of those in tests/fuzz: `HYPOTHESIS_PROFILE=search PINNACE_FUZZ=20 pytest tests/fuzz`.
"""

import os
from pathlib import Path

import jax
import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture
def x64():
    """Double precision for one test."""
    with jax.enable_x64(True):
        yield


HURRIED = {"balance", "fuzz", "lower", "schedule", "step", "surgery"}
"""Folders whose programs run once or twice: XLA compiles them in a third less time without the passes of LLVM that only
make them faster. What is measured, or compared to the last bit over processes, is compiled as users compile it."""


@pytest.fixture(scope="module", autouse=True)
def hurry(request):
    """Compile quickly where speed is no matter."""
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    jax.config.update("jax_disable_most_optimizations", folder in HURRIED)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="module", autouse=True)
def room():
    """Forget what was compiled before mappings run out: a system allows some 65,000, and XLA crashes beyond."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > 16_000:
        jax.clear_caches()
