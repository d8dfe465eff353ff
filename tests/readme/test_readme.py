"""What README.md shows runs, with fewer steps."""

import re
from pathlib import Path

import matplotlib
import pytest

README = Path(__file__).parents[2] / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.fixture
def names():
    matplotlib.use("Agg")
    first = blocks("python")[0].replace("10_000", "3").replace("2_000", "64")
    names = {}
    exec(first, names)
    return names


def test_the_first_example_runs(names):
    assert names["run"].steps == 3
    assert names["run"].history["w(pde)"].shape == (3,)


def test_the_inverse_problem_runs(names):
    names["data"] = (names["u"] - 0.5).mse.named("data")
    exec(blocks("python")[1].replace("pn.core(", "crux = pn.core("), names)
    assert names["crux"].solve(2).history["nu"].shape == (2,)


def test_balancers_and_rates_serve_other_loops(names):
    names["losses"] = [0.1, 0.2]
    exec(blocks("python")[2], names)
    assert names["weights"].shape == (2,)


def test_there_are_two_commands():
    text = README.read_text()
    for mark, words in (("try", "pinnace solve burgers"), ("tests", "pytest")):
        (command,) = re.findall(rf"<!-- {mark} -->\n```bash\n(.*?)\n```", text, re.DOTALL)
        assert words in command and "\n" not in command
