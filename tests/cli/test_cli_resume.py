"""`pinnace solve --resume`: a run goes on in its folder, bit for bit."""

import json
import shutil

import numpy as np
import pytest

from pinnace import cli, zoo

SMALL = {"width": 8, "depth": 2, "points": 64}
ARGUMENTS = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody stopped."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    arguments = ["--steps", "24", "--seed", "3", "--balancer", "rlw", "--out", str(folder), "--no-figure"]
    assert cli.main(["solve", "poisson", *arguments, *ARGUMENTS]) == 0
    return folder


def begun(whole, tmp_path, steps=11):
    """The same run, as a kill after some steps would have left it."""
    folder = tmp_path / "begun"
    folder.mkdir()
    shutil.copy(whole / "run.toml", folder)
    case = zoo.Poisson(steps=24, balancer="rlw", **SMALL).build(seed=3)
    case.crux.solve(steps, checkpoint=folder / "checkpoint.npz")
    return folder


def test_a_resumed_run_ends_as_one_that_was_never_stopped(whole, tmp_path, capsys):
    folder = begun(whole, tmp_path)
    assert cli.main(["solve", "--resume", str(folder), "--no-figure"]) == 0
    assert "goes on from step 11" in capsys.readouterr().out
    with np.load(folder / "history.npz") as ours, np.load(whole / "history.npz") as theirs:
        assert set(ours.files) == set(theirs.files)
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    results = [json.loads((one / "result.json").read_text()) for one in (folder, whole)]
    assert results[0]["relative_l2_error"] == results[1]["relative_l2_error"]
    assert results[0]["steps"] == 24
    assert (folder / "run.toml").read_text() == (whole / "run.toml").read_text()


def test_more_steps_may_be_asked_for_and_the_problem_named(whole, tmp_path):
    folder = begun(whole, tmp_path)
    assert cli.main(["solve", "poisson", "--resume", str(folder), "--steps", "30", "--no-figure"]) == 0
    assert json.loads((folder / "result.json").read_text())["steps"] == 30


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["burgers"], "poisson"),
        (["--seed", "4"], "--seed does not go with --resume"),
        (["--out", "x"], "--out does not go with --resume"),
        (["--set", "width=9"], "width"),
    ],
)
def test_what_cannot_go_on_is_told_and_nothing_changes(whole, tmp_path, capsys, arguments, told):
    folder = begun(whole, tmp_path, 1)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert cli.main(["solve", *arguments, "--resume", str(folder), "--no-figure"]) in (2,)
    wrong = capsys.readouterr().err
    assert told in wrong or "another problem" in wrong
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_folder_without_a_run_is_told(tmp_path, capsys):
    assert cli.main(["solve", "--resume", str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert cli.main(["solve", "--resume", str(tmp_path)]) == 2
    assert "no run.toml and no checkpoint.npz" in capsys.readouterr().err
    assert cli.main(["solve"]) == 2
    assert "which problem? There are burgers" in capsys.readouterr().err
