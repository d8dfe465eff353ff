"""Command lines and config files of any kind: an answer in one line, and nothing left behind."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pinnace import balance, cli, zoo
from pinnace.cli import command
from pinnace.cli.config import as_toml
from pinnace.cli.folder import Folder

TIMES = int(os.environ.get("PINNACE_FUZZ", "1"))
SETTINGS = sorted({name for problem in zoo.PROBLEMS.values() for name in zoo.settings_of(problem)})
KEYS = [*SETTINGS, "epochs", "learning_rate", "seed", "problem", "loss", "loss.adaptive", "loss.pde", "loss.use_rk4"]
KEYS += ["loss.adaptive.strategy", "loss.adaptive.enabled", "loss.adaptive.ema_alpha", "loss.adaptive.beta", "", "."]
KEYS += [
    "loss.use_gn_solver",
    "loss.adaptive.initial_weights",
    "loss.adaptive.update_freq",
    "lo ss",
    "steps.x",
    "=",
    "[a",
]
TEXTS = [
    "",
    "0",
    "1",
    "-1",
    "1e3",
    "1e400",
    "nan",
    "inf",
    "0x10",
    "1_0",
    "٣",
    "²",
    "true",
    "False",
    "none",
    "hard",
    "adam",
]
TEXTS += [
    "relobralo",
    "softadapt(beta=0.5)",
    "softadapt(beta=",
    "fixed(weights=[1,2])",
    "fixed(weights=[1e400,1])",
    "())",
]
TEXTS += [
    "relobralo(tau=__import__('os'))",
    "relobralo(" * 50,
    "[" * 300,
    "9" * 5000,
    "a\nb",
    "é",
    "--",
    "-h",
    "{}",
]
TEXTS += ["relobralo(alpha=True)", "rlw(seed=1e3)", "none,,rlw", "lbfgs", "sgd", "2147483648", "4294967296", "1e-320"]

texts = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(exclude_characters="\0"), max_size=6))
problems = st.one_of(st.sampled_from([*zoo.PROBLEMS, "poisson", "poisson", "poisson"]), texts)
keys = st.one_of(st.sampled_from(KEYS), st.sampled_from(KEYS), texts)
balancers = st.sampled_from(sorted(balance.BALANCERS))
options = st.one_of(
    st.tuples(st.just("--set"), st.builds("{}={}".format, keys, texts)),
    st.tuples(st.sampled_from(["--steps", "--seed", "--balancer", "--balancers", "--seeds", "--log-every"]), texts),
    st.tuples(st.sampled_from(["--no-figure", "--help", "-h", "--version", "--", "--config", "--out", "--resume"])),
    st.tuples(st.just("--balancer"), st.builds("{}({}={})".format, balancers, texts, texts)),
    st.tuples(texts),
)  # fmt: skip
words = st.sampled_from(["solve", "solve", "solve", "compare", "list", "solv", ""])
lines = st.builds(
    lambda word, problem, rest: [word, problem, *(part for option in rest for part in option)],
    words, problems, st.lists(options, max_size=4),
)  # fmt: skip

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), texts, st.dates(), st.binary(max_size=3)
)
values = st.recursive(
    leaves,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.one_of(keys, leaves), below, max_size=3),
    max_leaves=5,
)
tables = st.dictionaries(keys, values, max_size=4)
SOUND = (
    b'problem = "poisson"\nsteps = 10\nseed = 3\n[loss]\npde = 10.0\n[loss.adaptive]\nstrategy = "ema"\nbeta = 0.5\n'
)


def lines_of(table, before=""):
    """A table as something like TOML, dates and dotted keys included."""
    return "".join(
        f"[{before}{key}]\n{lines_of(value, f'{before}{key}.')}" if isinstance(value, dict) else f"{key} = {value!r}\n"
        for key, value in table.items()
    )


@st.composite
def mutilated(draw):
    """A sound file with some bytes replaced, put in, or left out."""
    content = bytearray(SOUND)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(content)


ODD = [b"&a [*a]", b"a: &b {c: *b}", b"- 1", b"!!python/object:os.system {}", b"<<: {steps: 1}", b"a: !!int x"]
ODD += [b"steps: 1:30", b"steps: 2026-01-01", b"? [a]\n: 1", b"{" * 2000, b"a: b: c", b"%", b"--- a\n--- b"]

files = st.one_of(
    st.tuples(st.just(".toml"), st.one_of(mutilated(), tables.map(lines_of).map(str.encode), st.binary(max_size=20))),
    st.tuples(
        st.sampled_from([".yaml", ".yml", ".YAML"]),
        st.one_of(
            mutilated(),
            tables.map(lambda table: yaml.dump(table, encoding="utf-8")),
            st.sampled_from(ODD),
        ),
    ),
    st.tuples(st.sampled_from([".json", "", ".toml.txt"]), st.just(SOUND)),
)  # fmt: skip


class Place:
    """A folder to work in, and what commands asked for."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys, self.asked, self.runs = folder, capsys, None, 0

    def start(self, asked, folder, **options):
        """What `solve` and `compare` do before they compute."""
        folder.make()
        folder.keep(as_toml(asked.kept()))
        self.asked = asked
        return 0

    def compare(self, asked, out):
        return self.start(asked, Folder.free(out, asked.problem.name))

    def answers(self, arguments, about=""):
        """Run a command: its code, what it asked for."""
        self.asked, self.runs = None, self.runs + 1
        out = self.folder / f"out-{self.runs}"
        before = set(self.folder.rglob("*"))
        code = cli.main([*arguments, "--out", str(out)] if arguments[:1] != ["list"] else arguments)
        told = self.capsys.readouterr()
        left = {path for path in set(self.folder.rglob("*")) - before if not path.is_relative_to(out)}
        assert not left, (arguments, about, left)
        assert code in (0, 1, 2, 130), (arguments, about)
        assert "Traceback" not in told.err + told.out
        if code == 2:
            assert told.err.count("\n") == 1 and len(told.err.strip()) > 15, (arguments, about, told.err)
            assert not out.exists()
        return code, self.asked, out


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    made = Place(tmp_path, capsys)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "solve", made.start)
    monkeypatch.setattr(command, "compare", lambda asked, balancers, seeds, out, **rest: made.compare(asked, out))
    return made


def again(place, asked, out):
    """What was kept asks for the same."""
    code, same, _ = place.answers(["solve", asked.problem.name, "--config", str(out / "run.toml")])
    assert code == 0 and (same.problem, same.seed) == (asked.problem, asked.seed)


@settings(max_examples=40 * TIMES, suppress_health_check=list(HealthCheck))
@given(arguments=lines)
@example(["solve", "poisson", "two\nlines"])
@example(["solve", "poisson", "--set", "steps=10", "--balancer", "softadapt(beta=0.5)"])
def test_any_command_line_has_an_answer(place, arguments):
    code, asked, out = place.answers(arguments)
    if asked is not None:
        assert code == 0
        again(place, asked, out)


@settings(max_examples=40 * TIMES, suppress_health_check=list(HealthCheck))
@given(file=files)
@example((".toml", SOUND))
def test_any_config_has_an_answer(place, file):
    suffix, content = file
    path = Path(f"config{suffix}")
    path.write_bytes(content)
    code, asked, out = place.answers(["solve", "poisson", "--config", str(path)], content)
    if asked is not None:
        assert code == 0
        again(place, asked, out)


def test_sound_ones_are_understood(place):
    Path("config.toml").write_bytes(SOUND)
    code, asked, _ = place.answers(["solve", "poisson", "--config", "config.toml", "--steps", "7"])
    assert (code, asked.problem.steps, asked.seed) == (0, 7, 3) and asked.problem.balancer.startswith("ema")
