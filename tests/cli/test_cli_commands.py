"""The commands that compute nothing, and mistakes."""

import pytest

import pinnace as pn
from pinnace import cli, zoo


def test_list_shows_every_problem_with_its_equation(capsys):
    assert cli.main(["list"]) == 0
    told = capsys.readouterr().out
    for name, problem in zoo.PROBLEMS.items():
        assert name in told and problem.title in told and problem.equation in told


@pytest.mark.parametrize("name", zoo.PROBLEMS)
def test_list_of_one_shows_every_setting(name, capsys):
    assert cli.main(["list", name]) == 0
    told = capsys.readouterr().out
    for setting, declared in zoo.settings_of(zoo.by_name(name)).items():
        assert setting in told and declared.metadata["meaning"] in told
    assert zoo.by_name(name).source in told


def test_help_and_version(capsys):
    assert cli.main([]) == 0
    assert "solve" in capsys.readouterr().out
    assert cli.main(["solve", "--help"]) == 0
    assert "--balancer" in capsys.readouterr().out
    assert cli.main(["--version"]) == 0
    assert pn.__version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("solve burgers --config nowhere.toml", "there is no file nowhere.toml"),
        ("solve burgers --config", "--config"),
        ("solve burgers --log-every -1", "0 or more"),
        ("solve burgers --set loss.adaptive.strategy=relobrallo", 'Did you mean "relobralo"?'),
        ("solve burgers --set loss.pd=3", 'Did you mean "pde"?'),
        ("solve burgers --set optimizer=adamww", 'Did you mean "adamw"?'),
        ("compare burgers --balancers relobrallo,none", 'Did you mean "relobralo"?'),
        ("compare burgers --balancers softadapt(beta=0.5", "a balancer is a name"),
        ("compare burgers --balancers ,", "at least one"),
        ("compare burgers --seeds 0", "1 or more"),
        ("compare burgers --balancer none", 'Did you mean "--balancers"?'),
        ("compare burgers --set widht=3", 'Did you mean "width"?'),
        ("solv burgers", 'no command "solv". Did you mean "solve"?'),
        ("solve", "problem"),
        ("solve burger", 'no problem "burger". Did you mean "burgers"?'),
        ("list burger", 'Did you mean "burgers"?'),
        ("solve burgers --balancer relobrallo", 'Did you mean "relobralo"?'),
        ("solve burgers --balancer fixed", "fixed(weights=...)"),
        ("solve burgers --balancer softadapt(bta=1)", 'Did you mean "beta"?'),
        ("solve burgers --blancer relobralo", 'Did you mean "--balancer"?'),
        ("solve burgers --set widht=3", 'Did you mean "width"?'),
        ("solve burgers --set conditions=har", 'Did you mean "hard"?'),
        ("solve burgers --set nu=1e-6", "out of the range"),
        ("solve burgers --steps many", 'got "many"'),
        ("solve burgers --steps 0", "more than 0"),
        ("solve burgers --seed -1", "seed"),
        ("solve burgers --seed one", "seed"),
        ("solve burgers poisson", '"poisson"'),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(command, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(command.split()) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1 and "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_a_file_where_the_folder_should_be_is_told(tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    assert cli.main(["solve", "poisson", "--out", str(tmp_path / "taken")]) == 2
    assert cli.main(["solve", "poisson", "--steps", "1", "--out", str(tmp_path / "taken" / "below")]) == 2
    assert capsys.readouterr().err.count("\n") == 2
