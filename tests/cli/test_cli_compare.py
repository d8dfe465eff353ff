"""`pinnace compare`: the table, the folder, Ctrl-C, failures."""

import csv
import signal

import pytest

from pinnace import cli, zoo
from pinnace.cli.compare import everything, split
from pinnace.cli.comparison_figure import comparison_figure
from pinnace.cli.table import table

SMALL = [f"--set={one}" for one in ("width=8", "depth=2", "points=64", "conditions=soft")]
COMMAND = ["compare", "poisson", "--steps", "6", *SMALL]
FILES = {"compare.csv", "compare.png", "run.toml"}


def rows(folder):
    with (folder / "compare.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_balancers_are_compared_and_everything_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    balancers = "fixed,softadapt(beta=0.5),fixed(weights=[1, 100])"
    assert cli.main([*COMMAND, "--balancers", balancers, "--seeds", "2"]) == 0
    told = capsys.readouterr()
    folder = tmp_path / "runs" / "compare-poisson-1"
    assert {file.name for file in folder.iterdir()} == FILES
    found = rows(folder)
    assert [(row["balancer"], row["seed"]) for row in found] == [
        ("fixed", "0"), ("softadapt(beta=0.5)", "0"), ("fixed(weights=[1, 100])", "0"),
        ("softadapt(beta=0.5)", "1"), ("fixed(weights=[1, 100])", "1"), ("fixed", "1"),
    ]  # fmt: skip
    assert {row["w(bc)"] for row in found if row["balancer"] == "fixed(weights=[1, 100])"} == {"100.0"}
    assert all(0 < float(row["error"]) < 10 and float(row["step_seconds"]) > 0 for row in found)
    for word in ("median error", "ms a step", "w(pde)", "softadapt(beta=0.5)", "compare.csv"):
        assert word in told.out
    assert told.err == ""  # progress is for terminals
    assert (folder / "compare.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"

    # a row is what solve gives, from the settings that were kept
    assert cli.main(
        ["solve", "poisson", "--config", str(folder / "run.toml"), "--balancer", "softadapt(beta=0.5)", "--seed", "1",
         "--no-figure", "--out", "again"]
    ) == 0  # fmt: skip
    (row,) = [row for row in found if row["balancer"].startswith("softadapt") and row["seed"] == "1"]
    assert f"relative L2 error {float(row['error']):.2e}" in capsys.readouterr().out


def test_ctrl_c_keeps_the_runs_that_ended(tmp_path, monkeypatch, capsys):
    solve, calls = zoo.Case.solve, []

    def interrupted(case, **options):
        calls.append(case)
        if len(calls) == 2:
            options["callbacks"] = lambda run: signal.raise_signal(signal.SIGINT)
        return solve(case, **options)

    monkeypatch.setattr(zoo.Case, "solve", interrupted)
    assert (
        cli.main([*COMMAND[:2], "--steps", "100", *SMALL, "--balancers", "none", "--out", str(tmp_path / "a")]) == 130
    )
    assert [row["seed"] for row in rows(tmp_path / "a")] == ["0"]
    assert "interrupted after 1 of 3 runs" in capsys.readouterr().out
    assert {file.name for file in (tmp_path / "a").iterdir()} == FILES


def test_ctrl_c_before_the_first_run_ends_leaves_nothing(tmp_path, monkeypatch, capsys):
    def interrupted(case, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(zoo.Case, "solve", interrupted)
    assert cli.main([*COMMAND, "--balancers", "none", "--out", str(tmp_path / "a")]) == 130
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().err.count("\n") == 1


def test_a_comparison_is_not_written_over(tmp_path, capsys):
    (tmp_path / "compare.csv").write_text("precious")
    assert cli.main([*COMMAND, "--out", str(tmp_path)]) == 2
    assert "holds a run already" in capsys.readouterr().err
    assert (tmp_path / "compare.csv").read_text() == "precious"


def test_a_run_that_fails_is_shown(tmp_path, capsys):
    command = [
        *COMMAND[:2],
        "--steps",
        "30",
        *SMALL,
        "--set",
        "rate=1e30",
        "--balancers",
        "none,fixed(weights=[1,2,3])",
    ]
    assert cli.main([*command, "--seeds", "1", "--no-figure", "--out", str(tmp_path / "a")]) == 0
    told = capsys.readouterr().out
    assert "none, seed 0: nonfinite" in told and "fixed(weights=[1,2,3]), seed 0: refused" in told
    assert [row["error"] for row in rows(tmp_path / "a")] == ["nan", "nan"]
    trials = zoo.read_trials(tmp_path / "a" / "compare.csv")
    shown = [text.get_text() for text in comparison_figure(zoo.Poisson(), trials).axes[0].texts]
    assert shown == ["1 of 1 failed", "1 of 1 failed"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("none", ["none"]),
        (" none , ema ,", ["none", "ema"]),
        ("fixed(weights=[1,2]),ema(alpha=0.5,beta=1)", ["fixed(weights=[1,2])", "ema(alpha=0.5,beta=1)"]),
        ("softadapt(variant='a,b'),none,none", ["softadapt(variant='a,b')", "none"]),
        ('f(x="),("),none', ['f(x="),(")', "none"]),
        ("a),b", ["a)", "b"]),
        ("'a,b',none", ["'a,b'", "none"]),
        ("", []),
    ],
)
def test_lists_are_split_at_commas_outside_brackets(text, parts):
    assert split(text) == parts


def test_everything_is_the_registry_and_none():
    assert everything()[0] == "none" and {"relobralo", "fixed", "ema"} < set(everything())


def test_the_table_is_aligned_and_sorted():
    def trial(balancer, error, **weights):
        return zoo.Trial(
            problem="p", balancer=balancer, seed=0, steps=1, outcome="done", error=error, step_seconds=2e-3,
            weights=weights,
        )  # fmt: skip

    lines = table([trial("long_name_of_one", 1e-1, pde=1.0), trial("b", 2e-3, pde=1234.5, bc=1e-9)]).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["b", "long_name_of_one"]
    assert len({len(line) for line in lines}) == 1
    assert lines[2].split() == ["b", "2.00e-03", "2.00e-03", "2.00e-03", "2", "1.23e+03", "1e-09"]
