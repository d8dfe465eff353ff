"""Lines of losses and weights where no bar is seen."""

import re

import pytest

from pinnace import cli

SMALL = ["--set=width=8", "--set=depth=2", "--set=points=32", "--no-figure"]


def lines(text):
    return [line for line in text.splitlines() if re.match(r"  step +\d+ of|  +weights", line)]


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        (["--steps", "45"], [*range(0, 45, 2)]),
        (["--steps", "6", "--log-every", "4"], [0, 4, 5]),
        (["--steps", "5", "--log-every", "0"], []),
    ],
)
def test_a_line_every_so_many_steps_and_at_the_last(options, steps, tmp_path, capsys):
    assert cli.main(["solve", "poisson", "--out", str(tmp_path / "a"), *options, *SMALL]) == 0
    told = capsys.readouterr()
    assert [int(line.split()[1]) for line in lines(told.out)] == steps
    assert told.err == ""


def test_losses_and_weights_stand_below_each_other(tmp_path, capsys):
    command = [
        "solve",
        "oscillator",
        "--balancer",
        "fixed(weights=[1,20,300,4000])",
        "--steps",
        "11",
        "--log-every",
        "5",
    ]
    assert cli.main([*command, "--out", str(tmp_path / "a"), *SMALL]) == 0
    losses, weights, *rest = lines(capsys.readouterr().out)
    assert len(rest) == 4
    assert re.fullmatch(r" +weights +PI_u 1.000e\+00  PI_v 2.000e\+01  RK4_u 3.000e\+02  RK4_v 4.000e\+03", weights)
    assert re.match(r"  step  0 of 11  total \d\.\d{3}e[-+]\d\d  PI_u \d", losses)
    for name in ("PI_u", "PI_v", "RK4_u", "RK4_v"):
        assert losses.index(name) == weights.index(name)
