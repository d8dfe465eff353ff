"""Settings from files: the specification's keys, precedence, mistakes told with file and key."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnace import PinnaceError, cli, zoo
from pinnace.cli.config import as_toml, from_file, from_texts
from pinnace.cli.keys import asked

SPECIFICATION = """
epochs: 50
learning_rate: 0.005
weight_decay: 1.0e-5
optimizer: "adam"

loss:
  # Initial weights (used as starting point)
  w1_PI: 1.0
  w2_PI: 1.0
  use_rk4: true
  w1_rk4: 10.0
  w2_rk4: 1e2
  use_gn_solver: false

  adaptive:
    enabled: true
    strategy: "equal_init"  # or "equal_init_ema", "ema", "fixed"
    ema_alpha: 0.9
    update_frequency: 1
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="run.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def of(*layers, problem=zoo.Oscillator):
    return asked(problem, [from_texts(one) if isinstance(one, list) else from_file(one) for one in layers])


def test_the_file_of_the_specification_works_as_it_stands(file):
    found = of(file(SPECIFICATION, "run.yaml")).problem
    assert (found.steps, found.rate, found.weight_decay, found.optimizer, found.use_rk4) == (
        50,
        5e-3,
        1e-5,
        "adam",
        True,
    )
    balancer = zoo.balancer_of(found.balancer)
    assert type(balancer).__name__ == "EqualInit"
    assert balancer.initial_weights == (1, 1, 10, 100) and balancer.every == 1


@pytest.mark.parametrize(
    ("texts", "balancer", "numbers"),
    [
        (["loss.adaptive.strategy=equal_init_ema"], "EqualInitEma", {"alpha": 0.9, "initial_weights": (1, 1, 10, 100)}),
        (["loss.adaptive.strategy=ema", "loss.adaptive.ema_alpha=0.95"], "Ema", {"alpha": 0.95}),
        (["loss.adaptive.strategy=ema", "loss.adaptive.update_frequency=5"], "Ema", {"every": 5}),
        (["loss.adaptive.strategy=ema", "loss.adaptive.ema_beta=0.5"], "Ema", {"beta": 0.5}),
        (["loss.adaptive.strategy=ema", "loss.adaptive.max_weight=1e3"], "Ema", {"max_weight": 1000}),
        (["loss.adaptive.enabled=false"], "Fixed", {"weights": (1, 1, 10, 100)}),
        (["loss.adaptive.enabled=false", "loss.RK4_v=7"], "Fixed", {"weights": (1, 1, 10, 7)}),
        (["loss.adaptive.strategy=fixed", "loss.weights.PI_u=3"], "Fixed", {"weights": (3, 1, 10, 100)}),
        (["loss.adaptive.strategy=fixed", "loss.w_PI_v=0"], "Fixed", {"weights": (1, 0, 10, 100)}),
        (["balancer=softadapt(beta=0.5)"], "SoftAdapt", {"beta": 0.5, "every": 1}),
        (["balancer=equal_init"], "EqualInit", {"initial_weights": (1, 1, 10, 100)}),
    ],
)
def test_what_is_set_changes_what_it_names(file, texts, balancer, numbers):
    found = zoo.balancer_of(of(file(SPECIFICATION, "run.yml"), texts).problem.balancer)
    assert type(found).__name__.lower() == balancer.lower()
    assert {name: vars(found)[name] for name in numbers} == numbers


def test_none_is_none_whatever_else_is_said(file):
    assert of(file(SPECIFICATION, "run.yaml"), ["balancer=none"]).problem.balancer == "none"
    assert of(["loss.adaptive.enabled=false"]).problem.balancer == "none"


def test_weights_alone_are_fixed_ones():
    assert zoo.balancer_of(of(["loss.PI_u=2"]).problem.balancer).weights == (2, 1, 1, 1)


def test_a_later_source_has_the_last_word(file):
    path = file('width = 8\nsteps = 7\nseed = 4\nbalancer = "ema"\n')
    assert of(path).problem.width == 8 and of(path).seed == 4
    both = of(path, ["width=9", "epochs=5", "loss.adaptive.ema_alpha=0.5"])
    assert (both.problem.width, both.problem.steps) == (9, 5)
    assert zoo.balancer_of(both.problem.balancer).alpha == 0.5
    assert of(path, ["seed=1"], ["seed=2"]).seed == 2
    # the file switched off, the command line chooses: it is on
    off = file("loss.adaptive.enabled = false", "off.toml")
    assert of(off, ["loss.adaptive.strategy=dwa"]).problem.balancer == "dwa"
    assert of(off, ["loss.adaptive.enabled=true"]).problem.balancer == "lbpinns_loss_balancing"


def test_arguments_of_one_strategy_do_not_become_those_of_another(file):
    path = file('balancer = "softadapt(beta=0.5)"')
    assert of(path, ["loss.adaptive.strategy=ema"]).problem.balancer == "ema"
    assert of(path, ["loss.adaptive.strategy=softadapt"]).problem.balancer == "softadapt(beta=0.5)"


def test_what_has_no_effect_is_said(file):
    notes = of(file(SPECIFICATION, "run.yaml"), ["loss.adaptive.strategy=dwa"]).notes
    assert notes == ("loss.w1_PI has no effect on dwa.", "loss.adaptive.ema_alpha has no effect on dwa.")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("widht = 3", 'no setting "widht". Did you mean "width"?'),
        ("width = 1.5", "is a whole number; got 1.5"),
        ('width = "3"', "is a whole number; got '3'"),
        ("width = true", "is a whole number; got True"),
        ("width = 1979-05-27", "is a whole number"),
        ("width = [3]", "is a whole number; got [3]"),
        ("width.x = 3", 'no setting "width.x". Did you mean "width"?'),
        ("steps = 9000000000000", "at most 2147483647"),
        ("rate = nan", "more than 0"),
        ("learning_rate = -1", "rate (learning rate"),
        ("use_rk4 = 1", "is true or false; got 1"),
        ('optimizer = "adm"', 'no optimizer "adm". Did you mean "adam"?'),
        ("epochs = 3\nsteps = 4", "epochs and steps are the same"),
        ("seed = -1", "seed is a whole number"),
        ("seed = 1.0", "seed is a whole number"),
        ('problem = "burgers"', "for the problem 'burgers', not 'oscillator'"),
        ("balancer = 3", "balancer is a name"),
        ('balancer = "relobrallo"', 'Did you mean "relobralo"?'),
        ('balancer = "ema(alpha=2)"', "at most 1"),
        ('balancer = "ema"\nloss.adaptive.strategy = "ema"', "give one of them"),
        ("loss = 3", "loss is a table"),
        ("loss.adaptive = 3", "loss.adaptive is a table"),
        ('loss.adaptive.strategy = "equal"', 'Did you mean "equal_init"?'),
        ("loss.adaptive.strategy = []", "got []"),
        ("loss.adaptive.enabled = 1", "loss.adaptive.enabled is true or false; got 1"),
        ("loss.adaptive.ema_alpha = 1.5", "loss.adaptive.ema_alpha is a number, from 0 to 1; got 1.5"),
        ("loss.adaptive.ema_alpha = inf", "loss.adaptive.ema_alpha is a finite number"),
        ("loss.adaptive.update_frequency = 0.5", "whole number of steps, 1 or more; got 0.5"),
        ('loss.adaptive.strategy = "ema"\nloss.adaptive.ema_alhpa = 0.5', 'Did you mean "ema_alpha"?'),
        ('loss.adaptive.strategy = "ema"\nloss.adaptive.beta = 3', "loss.adaptive.beta: ema got beta = 3"),
        ("loss.PI_w = 1", 'weight of no loss. Did you mean "PI_v"?'),
        ("loss.w3_PI = 1", 'The losses are "PI_u", "PI_v", "RK4_u", "RK4_v".'),
        ("loss.PI_u = -1", "loss.PI_u is a number, 0 or more; got -1"),
        ("loss.use_gn_solver = true", "can only be false"),
        ("width = ", "is not valid"),
        (b"\xff\xfe\x00", "is not valid"),
        ("x = " + "[" * 5000, "run.toml"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_name(text, told, file):
    with pytest.raises(zoo.SettingError) as error:
        of(file(text))
    assert told in str(error.value) and "run.toml" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("run.yaml", "- 1\n- 2", "a table of keys and values; got [1, 2]"),
        ("run.yaml", "1: 2", "keys are texts; got 1"),
        ("run.yaml", "a: [1", "not valid YAML"),
        ("run.yaml", "? [1]\n: 2", "not valid YAML"),
        ("run.yaml", "!!python/object:os.system {}", "not valid YAML"),
        ("run.yaml", "epochs: 1999-99-99 25:00:00", "epochs"),
        ("run.json", "{}", "a .toml, .yaml or .yml file"),
    ],
)
def test_other_files_too(name, text, told, file):
    with pytest.raises(zoo.SettingError) as error:
        of(file(text, name))
    assert told in str(error.value) or name in str(error.value)
    assert told in str(error.value) or told == "epochs"


def test_an_empty_file_changes_nothing(file):
    assert of(file("", "run.yaml")) == of(file("")) == of()


def test_exponents_are_numbers_in_yaml_too(file):
    found = of(file("learning_rate: 1e-5\nweight_decay: -0.0\nsteps: 2E3", "run.yaml")).problem
    assert (found.rate, found.steps) == (1e-5, 2000)


def test_a_file_that_is_not_there(file, tmp_path):
    file("", "run.toml")
    with pytest.raises(zoo.SettingError, match=r'there is no file .*rum\.toml\. Did you mean ".*run\.toml"'):
        from_file(tmp_path / "rum.toml")


def test_without_pyyaml_the_error_says_what_to_install(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(zoo.SettingError, match=r'pip install "pinnace\[yaml\]"'):
        from_file(file("", "run.yaml"))


@given(st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text()))
def test_what_is_written_reads_back(value):
    read = tomllib.loads(as_toml({"key": value}))["key"]
    assert read == value and type(read) is type(value)


KEYS = st.sampled_from(
    ["epochs", "width", "rate", "seed", "balancer", "optimizer", "problem", "loss", "loss.PI_u", "loss.w1_PI", "x",
     "loss.adaptive", "loss.weights.RK4_u", "loss.use_gn_solver", "use_rk4", "end"]
    + [f"loss.adaptive.{word}" for word in ("enabled", "strategy", "ema_alpha", "update_frequency", "beta", "weights")]
)  # fmt: skip
LITERALS = [
    '"ema"', '"none"', '"fixed"', '"ema(alpha=0.5)"', '"fixed(weights={[]: 1})"', '"f(("', '"adam"', "[1, 2]", "[[]]",
    '"fixed(weights=[1, 1e400, 2])"', "{a = 1}", "1979-05-27T07:32:00Z", "07:32:00", "inf", "-inf", "nan", "1_000",
]  # fmt: skip
LETTERS = st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\')
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(LITERALS),
    st.text(LETTERS, max_size=8).map('"{}"'.format),
)


@given(st.lists(st.tuples(KEYS, SCALARS), max_size=5))
def test_a_random_file_is_understood_or_refused(tmp_path_factory, pairs):
    path = tmp_path_factory.getbasetemp() / "random.toml"
    values = ((key, str(value).lower() if isinstance(value, bool) else value) for key, value in pairs)
    path.write_text("\n".join(f"{key} = {value}" for key, value in values), encoding="utf-8")
    try:
        found = of(path)
    except PinnaceError as wrong:
        assert str(wrong)
    else:
        assert isinstance(found.problem, zoo.Oscillator)


@given(st.lists(st.tuples(KEYS, st.text(max_size=12)), max_size=3))
def test_random_texts_are_understood_or_refused(pairs):
    try:
        of([f"{key}={value}" for key, value in pairs])
    except PinnaceError as wrong:
        assert str(wrong)


@given(st.binary(max_size=40), st.sampled_from([".toml", ".yaml"]))
def test_random_bytes_are_read_or_refused(tmp_path_factory, content, kind):
    path = tmp_path_factory.getbasetemp() / f"bytes{kind}"
    path.write_bytes(content)
    try:
        from_file(path)
    except PinnaceError as wrong:
        assert str(wrong)


SMALL = "width = 8\ndepth = 2\npoints = 32\nepochs = 12\n"


def test_a_run_is_done_again_from_its_own_settings(file, tmp_path, capsys):
    path = file(SMALL + 'seed = 3\n[loss]\nPI_v = 5\n[loss.adaptive]\nstrategy = "ema"\nupdate_frequency = 2\n')
    solve = ["solve", "oscillator", "--no-figure", "--config"]
    assert cli.main([*solve, str(path), "--set", "loss.adaptive.ema_alpha=0.7", "--out", str(tmp_path / "a")]) == 0
    assert cli.main([*solve, str(tmp_path / "a" / "run.toml"), "--out", str(tmp_path / "b")]) == 0
    first, second = ((tmp_path / name / "run.toml").read_text() for name in "ab")
    assert first == second
    assert "ema(initial_weights=[1.0, 5.0, 1.0, 1.0], alpha=0.7, every=2)" in first and "seed = 3" in first
    told = capsys.readouterr().out.split("\n")
    lines = [line for line in told if line.startswith("  step ")]
    assert len(lines) == 24 and lines[:12] == lines[12:]
    checkpoints = [(tmp_path / name / "checkpoint.npz").read_bytes() for name in "ab"]
    assert checkpoints[0] == checkpoints[1]


def test_options_have_the_last_word_over_the_file(file, tmp_path):
    path = file(SMALL + 'seed = 3\nbalancer = "ema"\n')
    command = [
        "solve",
        "oscillator",
        "--config",
        str(path),
        "--set",
        "epochs=9",
        "--steps",
        "4",
        "--balancer",
        "dwa",
        "--set",
        "width=7",
    ]
    assert cli.main([*command, "--seed", "5", "--no-figure", "--out", str(tmp_path / "a")]) == 0
    kept = from_file(tmp_path / "a" / "run.toml")
    found = {key: kept[key].value for key in ("steps", "balancer", "seed", "width", "depth")}
    assert found == {"steps": 4, "balancer": "dwa", "seed": 5, "width": 7, "depth": 2}


def test_a_mistake_in_a_file_is_one_line(file, capsys):
    assert cli.main(["solve", "oscillator", "--config", str(file("widht = 3"))]) == 2
    error = capsys.readouterr().err
    assert "run.toml" in error and 'Did you mean "width"?' in error and error.count("\n") == 1


def test_the_file_of_the_documentation_is_understood(file):
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    found = of(file(text), ["loss.adaptive.ema_alpha=0.95"])
    balancer = zoo.balancer_of(found.problem.balancer)
    assert (balancer.alpha, balancer.initial_weights, found.seed, found.notes) == (0.95, (1, 1, 10, 100), 3, ())
