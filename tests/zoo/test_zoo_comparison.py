"""Comparing balancers: the same runs as `build` and `solve`, nothing compiled twice, failures kept."""

import math
from dataclasses import replace

import jax
import numpy as np
import pytest

import pinnace as pn
from pinnace import zoo

SMALL = {"width": 8, "depth": 1, "points": 64}
SOFT = zoo.Poisson(steps=12, conditions="soft", **SMALL)


def test_a_restart_compiles_no_step():
    compiled = []
    case = replace(SOFT, balancer="relobralo").build(0)
    case.solve()
    listener = lambda name, seconds, **_: compiled.append(name)  # noqa: E731
    jax.monitoring.register_event_duration_secs_listener(listener)
    try:
        case.restart(1)
        case.solve()
        counted = compiled.count("/jax/core/compile/backend_compile_duration")
        replace(SOFT, balancer="relobralo", width=9).build(1).solve()
    finally:
        jax.monitoring.unregister_event_duration_listener(listener)
    assert counted == 0
    assert compiled.count("/jax/core/compile/backend_compile_duration") > 0  # it does count


def test_a_trial_is_the_run_that_solve_gives():
    trials = {(one.balancer, one.seed): one for one in zoo.compare(SOFT, ["fixed", "relobralo(alpha=0.5)"], [0, 3])}
    assert len(trials) == 4
    for name, seed, balancer in (("fixed", 0, "fixed(weights=1)"), ("relobralo(alpha=0.5)", 3, "relobralo(alpha=0.5)")):
        trial = trials[name, seed]
        case = replace(SOFT, balancer=balancer).build(seed)
        run = case.solve()
        assert trial.error == case.error
        assert trial.losses == {name: run.history[name][-1] for name in ("total", "pde", "bc")}
        assert trial.weights == {"pde": run.history["w(pde)"][-1], "bc": run.history["w(bc)"][-1]}
        assert trial.steps == 12 and trial.outcome == "done" and trial.step_seconds > 0


def test_another_balancer_is_first_in_each_round():
    trials = list(zoo.compare(replace(SOFT, steps=1), ["none", "fixed"], [0, 1]))
    assert [(trial.balancer, trial.seed) for trial in trials] == [("none", 0), ("fixed", 0), ("fixed", 1), ("none", 1)]


def test_what_is_done_is_left_out():
    trials = list(zoo.compare(SOFT, ["none", "fixed"], [0, 1], done=[("none", 0), ("fixed", 1)]))
    assert [(trial.balancer, trial.seed) for trial in trials] == [("fixed", 0), ("none", 1)]


def test_a_name_that_does_not_exist_is_told_before_anything_runs():
    ran = []
    with pytest.raises(zoo.SettingError, match='Did you mean "relobralo"'):
        zoo.compare(SOFT, ["none", "relobrallo"], [0], watch=lambda *about: ran.append(about))
    assert not ran


def test_runs_that_fail_are_trials_too():
    wild = replace(SOFT, steps=40, rate=1e30)
    (trial,) = zoo.compare(wild, ["none"], [0])
    assert trial.failed and trial.outcome == "nonfinite" and "pde" in trial.message
    refused, fine = zoo.compare(SOFT, ["fixed(weights=[1, 2, 3])", "none"], [0])
    assert refused.outcome == "refused" and refused.failed and refused.message and not fine.failed


def test_an_interrupted_run_ends_the_comparison():
    def press(balancer, seed, steps):
        if seed == 1:
            raise KeyboardInterrupt

    kept = []
    runs = zoo.compare(SOFT, ["none"], [0, 1], watch=press)
    with pytest.raises(KeyboardInterrupt):
        for trial in runs:
            kept.append(trial)
    assert [trial.seed for trial in kept] == [0]


def _trial(balancer, seed, error, seconds=1e-3, **weights):
    outcome = "done" if math.isfinite(error) else "nonfinite"
    return zoo.Trial(
        problem="p", balancer=balancer, seed=seed, steps=9, outcome=outcome, error=error, step_seconds=seconds,
        seconds=1.0, weights=weights,
    )  # fmt: skip


def test_summaries_are_sorted_by_the_median_and_a_failure_is_infinitely_wrong():
    trials = [_trial("a", k, error, pde=k) for k, error in enumerate((0.3, 0.1, math.nan))]
    trials += [_trial("b", k, error) for k, error in enumerate((0.2, 0.25, 9.0))]
    trials += [_trial("c", k, math.nan, math.nan) for k in range(3)]
    b, a, c = zoo.summaries(trials)
    assert (b.balancer, b.median, b.failed, b.errors) == ("b", 0.25, 0, (0.2, 0.25, 9.0))
    assert (a.balancer, a.median, a.failed, a.errors[0]) == ("a", 0.3, 1, 0.1)
    assert c.failed == 3 and math.isinf(c.median) and math.isnan(c.step_seconds)
    assert a.weights == {"pde": 1} and a.step_seconds == 1e-3


def test_trials_come_back_from_their_file(tmp_path):
    trials = [_trial("softadapt(beta=0.5)", 0, 1 / 3, 2e-4, pde=1.5, bc=1e-9), _trial("none", 2**31, math.nan)]
    zoo.write_trials(tmp_path / "t.csv", trials)
    read = zoo.read_trials(tmp_path / "t.csv")
    assert read[0] == trials[0]
    assert read[1].failed and replace(read[1], error=0.0) == replace(trials[1], error=0.0)
    assert {file.name for file in tmp_path.iterdir()} == {"t.csv"}
    assert zoo.read_trials(tmp_path / "none.csv") == []
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(zoo.SettingError, match="no row of a comparison"):
        zoo.read_trials(tmp_path / "other.csv")


def test_the_clock_does_not_count_the_first_chunk(monkeypatch):
    now = iter([100.0, 101.0, 104.0])
    monkeypatch.setattr("pinnace.zoo.comparison.time.perf_counter", lambda: next(now))
    clock = zoo.comparison.Clock()
    assert math.isnan(clock.step_seconds)
    history = pn.train.History()
    for count in (1, 2, 5):
        history.append("total", np.arange(count), np.zeros(count))
        clock(pn.train.Run(history, 0))
    assert clock.step_seconds == 4 / 7
