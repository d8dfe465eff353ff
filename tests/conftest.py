"""Fixtures of the whole suite.

Random examples are the same in every run; `HYPOTHESIS_PROFILE=search` looks for new ones. `PINNACE_FUZZ=20` takes
twenty times as many of those in tests/fuzz: `HYPOTHESIS_PROFILE=search PINNACE_FUZZ=20 pytest tests/fuzz`.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # what one test, process or notebook has compiled serves the others; the workers get these from the first process
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="pinnace-tests-")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)

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


AS_USERS_DO = {"cli", "docs", "domain", "examples", "readme", "zoo"}
"""Folders whose programs take many steps, are compared bit for bit with another process, or choose for themselves."""


@pytest.fixture(scope="module", autouse=True)
def hurry(request):
    """Programs that run once or twice are compiled without the passes of LLVM that only make them faster.

    `PINNACE_OPTIMIZED=1` compiles all as users do; kills and caches, in processes of their own, do so in any case.
    """
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    hurried = folder not in AS_USERS_DO and "PINNACE_OPTIMIZED" not in os.environ
    jax.config.update("jax_disable_most_optimizations", hurried)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="module", autouse=True)
def room():
    """Forget what was compiled before mappings run out: a system allows some 65,000, and XLA crashes beyond."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > 16_000:
        jax.clear_caches()
