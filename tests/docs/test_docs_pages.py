"""Every page of the documentation: its Python runs, its other blocks say what they are."""

import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {str(page.relative_to(DOCS)): page for page in sorted(DOCS.rglob("*.md"))}
FENCES = re.compile(r"^ *```(.*)$", re.MULTILINE)
CHECKED = ("weights.md", "rates.md")
"""Pages whose results have tests of their own."""
MANY_DEVICES = ("devices.md",)
"""Pages that want eight devices, and so a process of their own."""
RUN = [name for name, page in PAGES.items() if "```python" in page.read_text() and name not in CHECKED + MANY_DEVICES]

ON_EIGHT = f"""
import sys, pathlib, jax
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_disable_most_optimizations", True)
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import _run
_run(pathlib.Path(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("name", RUN)
def test_the_code_of_the_page_runs(name, run_page):
    run_page(PAGES[name])


@pytest.mark.parametrize("name", MANY_DEVICES)
def test_the_code_for_many_devices_runs(name):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ON_EIGHT, str(PAGES[name])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", PAGES)
def test_every_block_says_what_it_is(name):
    fences = FENCES.findall(PAGES[name].read_text())
    assert len(fences) % 2 == 0
    assert set(fences[::2]) <= {"python", "text", "bash", "toml"} and not any(fences[1::2])


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_in_the_contents(name):
    assert f": {name}\n" in (DOCS / "mkdocs.yml").read_text()
