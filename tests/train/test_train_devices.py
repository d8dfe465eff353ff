"""Many devices and several processes: the same losses, no gather of points, one state for all."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

import pinnace as pn

SCRIPT = Path(__file__).with_name("on_devices.py")
MESHES = ["1", "2", "4", "8", "4, 2", "8 in batches"]


def started(*arguments):
    # of so few steps, compiling takes most of the time
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPT), *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(runs):
    try:
        outputs = [run.communicate(timeout=300)[0] for run in runs]
    finally:
        for run in runs:
            run.kill()
    assert all(run.returncode == 0 for run in runs), "\n".join(outputs)[-3000:]


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("emulated")
    finished([started("emulated", folder)])
    return json.loads((folder / "emulated.json").read_text())


def same(history, expected):
    assert list(history) == list(expected)
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("mesh", MESHES)
def test_any_number_of_devices_gives_the_same_losses(emulated, mesh):
    assert len(emulated[mesh]["history"]["total"]) == 100
    same(emulated[mesh]["history"], emulated["none"]["history"])
    assert np.ptp(emulated["none"]["history"]["w(pde)"]) > 0


def test_everything_adaptive_is_the_same_on_devices_and_in_batches(emulated):
    same(emulated["adaptive, 4"]["history"], emulated["adaptive"]["history"])
    for name in ("norm", "trace", "lam", "y", "slope", "cosine", "spectrum", "update", "error", "quantiles"):
        assert np.ptp(emulated["adaptive"]["history"][name], axis=0).max() > 0


@pytest.mark.parametrize("mesh", MESHES)
def test_eval_and_state_have_the_points_of_the_user(emulated, mesh):
    assert emulated[mesh]["rows"] == [203, 203, 2]
    assert emulated[mesh]["mean"] == pytest.approx(emulated["none"]["mean"], rel=1e-6)


@pytest.mark.parametrize("mesh", MESHES)
def test_one_compilation_serves_all_chunks(emulated, mesh):
    assert emulated[mesh]["compilations"] == 1


@pytest.mark.parametrize("mesh", ["2", "4", "8", "8 in batches"])
def test_devices_send_each_other_sums_only(emulated, mesh):
    found = emulated[mesh]["collectives"]
    assert found and {kind for kind, _ in found} == {"all-reduce"}
    # gradients have at least one axis of the network: 1, 2 or 256; sums over points are scalars
    lengths = {int(n) for _, shapes in found for n in np.concatenate([s.split(",") for s in shape_lists(shapes)])}
    assert lengths <= {1, 2, 256}


def shape_lists(shapes):
    inside = [part.split("]")[0] for part in shapes.split("[")[1:]]
    return [part or "1" for part in inside]


def test_wide_layers_are_spread_along_the_second_axis(emulated):
    assert emulated["8"]["widths"] == [1, 256]
    assert 128 in emulated["4, 2"]["widths"]
    gathered = [shapes for kind, shapes in emulated["4, 2"]["collectives"] if kind == "all-gather"]
    # values of a layer among the devices that share it, for the points of these alone
    rows = [int(part.split(",")[0]) for shapes in gathered for part in shape_lists(shapes) if "," in part]
    assert all(count <= 256 // 4 for count in rows)


def test_a_state_goes_from_eight_devices_to_one_and_back(emulated):
    whole = emulated["none"]["history"]
    assert len(emulated["resumed"]["history"]["total"]) == 20
    same(emulated["resumed"]["history"], {name: whole[name][: 3 if name == "rare" else 20] for name in whole})


def test_two_processes_are_one_run(emulated, tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    finished([started("process", tmp_path, port, rank) for rank in (0, 1)])
    first, second = (json.loads((tmp_path / f"process{rank}.json").read_text()) for rank in (0, 1))
    for found in (first, second):
        same(found["history"], emulated["none"]["history"])
        assert found["rows"] == [203] and found["file"] and found["steps"] == 100
    assert first["stopped"] == second["stopped"] < 10_000
    np.testing.assert_array_equal(first["history"]["total"], second["history"]["total"])
    saved = pn.load(tmp_path / "state.npz")
    np.testing.assert_array_equal(saved.history["total"], first["history"]["total"])
    assert saved.arrays["state.points[0]"].shape == (203, 2)


@pytest.mark.parametrize(
    ("mesh", "expected"),
    [
        (4, r"mesh of devices.*got 4"),
        (("points",), r"got \('points',\)"),
        (jax.make_mesh((1,), ("data",)), r'has the axes "data".*"points"'),
        (jax.make_mesh((1, 1), ("points", "width")), r'has the axes "points", "width"'),
    ],
)
def test_meshes_that_mean_nothing_are_told(mesh, expected):
    p = pn.parameter(1.0).optimizer(optax.sgd(0.1))
    with pytest.raises(pn.PinnaceError, match=expected):
        pn.core([p], mesh=mesh)


def test_the_script_of_the_documentation_runs(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "devices.md").read_text()
    (script,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "distributed" in block]
    for written, short in (("000_000", "00"), ("20_000", "20"), ("500_000", "70"), ("jax.distributed", "# ")):
        script = script.replace(written, short)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(script, names)
    assert names["run"].steps == 20 and Path("burgers.npz").is_file()
