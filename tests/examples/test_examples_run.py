"""The examples and the notebooks run, with few steps, and write what they promise."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import pinnace as pn

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NOTEBOOKS = {
    "quickstart": (4, 2, 1e-2),
    "adaptive_weights": (2, 0, np.inf),
    "inverse_problem": (3, 0, np.inf),
    "own_balancer": (1, 4, np.inf),
    "complex_domain": (2, 3, 1e-2),
    "many_devices": (1, 0, np.inf),
}
"""Of each notebook: pictures, errors that it prints, and the largest of them."""
COVERED = ("many_devices",)
"""Those that run with PINNACE_NOTEBOOKS=1 only: tests/train/test_train_devices.py does the same."""
SHORT = {"STEPS": "24", "SEEDS": "1", "BALANCERS": '("relobralo", "grad_norm")'}
"""Their parameters in a test: enough to see that they run."""
SOURCE = Path(pn.__file__).parents[1]


def test_there_are_examples():
    assert {path.stem for path in EXAMPLES} == {"burgers", "inverse_burgers", "own_balancer", "poisson"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path, tmp_path, monkeypatch, capsys):
    matplotlib.use("agg")
    monkeypatch.setattr(sys, "argv", [path.name, "--steps", "8", "--out", str(tmp_path / "figure.png")])
    runpy.run_path(str(path), run_name="__main__")
    assert re.search(r"relative L2 error \d|nu = \d", capsys.readouterr().out)
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"


def test_there_are_notebooks():
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} == set(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_top_to_bottom(name, tmp_path):
    import nbformat

    if name in COVERED and "PINNACE_NOTEBOOKS" not in os.environ:
        pytest.skip("what it does is tested elsewhere; PINNACE_NOTEBOOKS=1 runs it too")

    notebook = nbformat.read(path_of(name), as_version=4)
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    assert parameters.source.startswith("STEPS = ")
    for parameter, short in SHORT.items():
        parameters.source = re.sub(rf"^{parameter} = .*", f"{parameter} = {short}", parameters.source, flags=re.M)
    nbformat.write(notebook, tmp_path / "short.ipynb")
    # in a process of its own, as a user runs it: the client starts threads and an event loop
    run = "import nbformat, nbclient; nbclient.NotebookClient(nbformat.read('short.ipynb', 4), timeout=300).execute()"
    done = subprocess.run(
        [sys.executable, "-c", run],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]),
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # of so few steps, compiling takes most of the time
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def path_of(name):
    return ROOT / "notebooks" / f"{name}.ipynb"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_committed_with_the_outputs_of_a_full_run(name):
    pictures, numbers, most = NOTEBOOKS[name]
    cells = [cell for cell in json.loads(path_of(name).read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == pictures
    told = "".join("".join(output.get("text", ())) for output in outputs)
    errors = [float(found) for found in re.findall(r"relative L2 error ([\d.e+-]+)", told)]
    assert len(errors) == numbers and max(errors, default=0) < most
    assert path_of(name).stat().st_size < 500_000
    assert "site-packages" not in told and "/src/pinnace" not in told, "paths of a machine"
