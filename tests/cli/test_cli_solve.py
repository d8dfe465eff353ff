"""`pinnace solve`: the report, the run folder, and what happens when something goes wrong."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pinnace as pn
from pinnace import cli, zoo

SMALL = ["--set", "width=8", "--set", "depth=2", "--set", "points=64"]
FILES = {"result.json", "history.npz", "checkpoint.npz", "figure.png", "run.toml"}
SOURCE = Path(pn.__file__).parents[1]


def strict(text):
    """JSON as the standard has it: no NaN."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_a_run_is_reported_and_kept_whole(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["solve", "burgers", "--steps", "30", "--seed", "3", "--balancer", "relobralo", *SMALL]) == 0
    told = capsys.readouterr().out
    folder = tmp_path / "runs" / "burgers-1"
    assert {file.name for file in folder.iterdir()} == FILES

    result = strict((folder / "result.json").read_text())
    assert result["problem"] == "burgers" and result["seed"] == 3 and result["steps"] == 30
    assert result["outcome"] == "done"
    assert result["settings"]["width"] == 8 and result["settings"]["balancer"] == "relobralo"
    assert set(result["losses"]) == {"pde", "bc", "ic", "total"}
    assert set(result["weights"]) == {"w(pde)", "w(bc)", "w(ic)"}
    assert 0 < result["relative_l2_error"] < 3 and result["floor"] <= 1e-14
    assert result["versions"]["pinnace"] == pn.__version__ and "jax" in result["versions"]
    for word in ("pde", "bc", "ic", "total", "weight", "rate", "relative L2 error", "30 steps", "runs"):
        assert word in told
    assert f"{result['relative_l2_error']:.2e}" in told

    with np.load(folder / "history.npz") as history:
        assert np.array_equal(history["step"], np.arange(30))
        assert history["pde"][-1] == pytest.approx(result["losses"]["pde"]["last"])
        assert set(history.files) == {"step", *result["losses"], *result["weights"], "lr(u)"}
    assert (folder / "figure.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"

    # the checkpoint is the trained state: the same problem goes on from it, with the same error
    case = zoo.Burgers(steps=30, balancer="relobralo", width=8, depth=2, points=64).build(seed=3)
    case.crux.load(folder / "checkpoint.npz")
    assert case.crux.steps == 30
    assert case.error == pytest.approx(result["relative_l2_error"], rel=1e-6)


def test_the_folder_is_the_next_one_that_is_free(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "poisson-1").mkdir(parents=True)
    assert cli.main(["solve", "poisson", "--steps", "2", "--no-figure", *SMALL]) == 0
    assert {file.name for file in (tmp_path / "runs" / "poisson-2").iterdir()} == FILES - {"figure.png"}


def test_results_are_not_written_over(tmp_path, capsys):
    (tmp_path / "result.json").write_text("precious")
    assert cli.main(["solve", "poisson", "--steps", "2", "--out", str(tmp_path)]) == 2
    assert "holds a run already" in capsys.readouterr().err
    assert (tmp_path / "result.json").read_text() == "precious"


def test_a_folder_with_other_things_in_it_can_be_used(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert cli.main(["solve", "poisson", "--steps", "2", "--no-figure", "--out", str(tmp_path), *SMALL]) == 0
    assert strict((tmp_path / "result.json").read_text())["steps"] == 2


def test_the_inverse_problem_tells_its_unknown(tmp_path, capsys):
    command = ["solve", "burgers_inverse", "--steps", "5", "--balancer", "none", "--out", str(tmp_path / "a"), *SMALL]
    assert cli.main(command) == 0
    assert "nu = 0.0" in capsys.readouterr().out
    result = strict((tmp_path / "a" / "result.json").read_text())
    assert result["unknowns"]["nu"]["true"] == 0.02
    assert result["unknowns"]["nu"]["relative_error"] == pytest.approx(
        abs(result["unknowns"]["nu"]["found"] / 0.02 - 1)
    )
    assert result["weights"] == {}


def test_the_result_is_kept_when_the_figure_fails(tmp_path, monkeypatch, capsys):
    def broken(case):
        raise RuntimeError("no fonts")

    monkeypatch.setattr("pinnace.cli.solve.figure_of", broken)
    assert cli.main(["solve", "poisson", "--steps", "2", "--out", str(tmp_path), *SMALL]) == 0
    captured = capsys.readouterr()
    assert "no figure: no fonts" in captured.err and "relative L2 error" in captured.out
    assert {file.name for file in tmp_path.iterdir()} == FILES - {"figure.png"}


def test_ctrl_c_keeps_the_run_so_far(tmp_path, monkeypatch, capsys):
    solve = zoo.Case.solve
    monkeypatch.setattr(
        zoo.Case, "solve", lambda case, **options: solve(case, callbacks=lambda run: signal.raise_signal(signal.SIGINT))
    )
    assert cli.main(["solve", "poisson", "--steps", "100000", "--out", str(tmp_path), *SMALL]) == 130
    result = strict((tmp_path / "result.json").read_text())
    assert result["outcome"] == "interrupted" and 0 < result["steps"] < 100000
    assert "interrupted" in capsys.readouterr().out
    assert {file.name for file in tmp_path.iterdir()} == FILES


def test_ctrl_c_twice_and_before_the_first_step_still_leaves_a_result(tmp_path, monkeypatch):
    def interrupted(case, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(zoo.Case, "solve", interrupted)
    assert cli.main(["solve", "poisson", "--out", str(tmp_path), *SMALL]) == 130
    result = strict((tmp_path / "result.json").read_text())
    assert result["outcome"] == "interrupted" and result["steps"] == 0 and result["losses"] == {}
    assert (tmp_path / "checkpoint.npz").exists()


def test_a_loss_that_blows_up_is_told_and_kept(tmp_path, capsys):
    command = ["solve", "poisson", "--steps", "50", "--set", "rate=1e30", "--out", str(tmp_path), *SMALL]
    assert cli.main(command) == 1
    result = strict((tmp_path / "result.json").read_text())
    assert result["outcome"] == "nonfinite" and "pde" in result["message"]
    assert "not finite" in capsys.readouterr().out or result["losses"]["pde"]["last"] is not None


def test_as_a_process_of_its_own(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pinnace", "solve", "poisson", "--steps", "20", "--out", "here", *SMALL],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "relative L2 error" in done.stdout
    assert {file.name for file in (tmp_path / "here").iterdir()} == FILES
