"""Pages of the documentation whose code is run."""

import re

import jax
import pytest

NEEDS_A_CLUSTER = "jax.distributed.initialize"
"""A block that starts several processes, which another test does."""
FEWER = "jax_disable_most_optimizations"
"""Nearly all the time of a page goes into compiling, and its few steps may be slower."""


def _run(page):
    text = page.read_text()
    names = {}
    for block in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
        if NEEDS_A_CLUSTER not in block[1]:
            line = text[: block.start(1)].count("\n")
            exec(compile("\n" * line + block[1], str(page), "exec"), names)
    return names


@pytest.fixture(scope="module")
def run_page():
    """Runs the Python blocks of a page, from top to bottom, and gives the names that they leave."""
    before = jax.config.values[FEWER]
    jax.config.update(FEWER, True)
    yield _run
    jax.config.update(FEWER, before)
    jax.clear_caches()  # for tests that come after: bits depend on how a function was compiled
