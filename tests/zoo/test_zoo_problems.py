"""The problems: what is trained, what holds exactly, what comes out."""

from pathlib import Path

import jax
import numpy as np
import pytest

from pinnace import zoo

FOLDER = Path(zoo.__file__).parent
SMALL = {"width": 8, "depth": 2, "points": 64}


@pytest.mark.parametrize("name", zoo.PROBLEMS)
def test_a_problem_fits_on_two_pages(name):
    assert len((FOLDER / f"{name}.py").read_text().splitlines()) < 120


@pytest.mark.parametrize("name", zoo.PROBLEMS)
def test_a_seed_gives_the_same_run_whether_built_or_begun_anew(name):
    # Adam compiles in a part of the time that SOAP takes, whose steps have tests of their own
    problem = zoo.by_name(name)(steps=3, optimizer="adam", **SMALL | {"depth": 1})
    first, fresh = problem.build(0), problem.build(1)
    assert first.solve().steps == fresh.solve().steps == 3
    other = first.crux.history["total"]
    first.restart(1)
    assert first.crux.steps == 0 and first.solve().steps == 3
    states = [jax.tree.leaves(case.crux.state) for case in (first, fresh)]
    assert all(np.array_equal(a, b) for a, b in zip(*states, strict=True))
    totals = [case.crux.history["total"] for case in (first, fresh)]
    assert np.array_equal(*totals) and not np.array_equal(totals[0], other)
    assert np.isfinite(totals).all() and first.error == fresh.error and np.isfinite(first.error)


def test_soft_conditions_are_losses_and_are_balanced():
    case = zoo.Burgers(steps=4, **SMALL).build()
    assert case.solve().steps == 4
    assert case.solve().steps == 0  # the steps of the settings are a total
    assert set(case.crux.history) == {"total", "pde", "bc", "ic", "w(pde)", "w(bc)", "w(ic)", "lr(u)"}
    plain = zoo.Burgers(steps=4, balancer="none", **SMALL).build()
    plain.solve()
    assert set(plain.crux.history) == {"total", "pde", "bc", "ic", "lr(u)"}
    np.testing.assert_allclose(
        plain.crux.history["total"], sum(plain.crux.history[name] for name in ("pde", "bc", "ic")), rtol=1e-6
    )


def test_hard_conditions_hold_before_any_training():
    posed = zoo.Burgers(conditions="hard", balancer="none", **SMALL).pose(jax.random.key(3))
    assert len(posed.losses) == 1
    case = zoo.Burgers(conditions="hard", balancer="none", **SMALL).build(3)
    found = case.posed.solution.found(case.crux)  # [t, x]
    np.testing.assert_allclose(found[0], case.posed.solution.exact[0], atol=1e-6)
    np.testing.assert_allclose(found[:, [0, -1]], 0, atol=1e-6)

    square = zoo.Poisson(**SMALL).build(3)
    found = square.posed.solution.found(square.crux)
    assert np.abs(found[[0, -1]]).max() == np.abs(found[:, [0, -1]]).max() == 0
    assert np.abs(found).max() > 1e-3


def test_the_rate_falls_by_a_cosine_to_a_thousandth():
    problem = zoo.Poisson(steps=10, rate=1e-2, **SMALL)
    case = problem.build()
    case.solve()
    t = np.arange(10)
    np.testing.assert_allclose(
        case.crux.history["lr(u)"], 1e-5 + (1e-2 - 1e-5) * (1 + np.cos(np.pi * t / 10)) / 2, rtol=1e-5
    )


def test_the_error_is_the_relative_l2_error():
    case = zoo.Poisson(steps=1, **SMALL).build()
    side = np.linspace(0, 1, 129)
    x, y = case.posed.solution.points
    grid = np.meshgrid(side, side, indexing="ij")
    found = np.asarray(case.crux.eval(case.posed.solution.expr, {x: grid[0], y: grid[1]}))
    exact = np.sin(np.pi * grid[0]) * np.sin(np.pi * grid[1])
    assert case.error == pytest.approx(np.sqrt(np.sum((found - exact) ** 2) / np.sum(exact**2)), rel=1e-6)


def test_no_error_below_the_floor_is_quoted():
    case = zoo.Poisson(steps=1, **SMALL).build()
    perfect = zoo.Answer(
        case.posed.solution.expr, case.posed.solution.found(case.crux), case.posed.solution.points, 1e-3
    )
    assert perfect.error(case.crux) == 1e-3


def test_poisson_is_solved():
    case = zoo.Poisson(steps=600, width=16).build()
    case.solve()
    assert case.error < 1e-2


def test_the_measurements_are_the_exact_field_and_the_noise_that_was_asked_for():
    spread = []
    for noise in (0, 0.01):
        case = zoo.BurgersInverse(measurements=4000, noise=noise, guess=0.3, **SMALL).build(1)
        data = case.posed.losses[1]
        points = next(p for p in _point_sets(data) if p.label == "the data")
        xd, td, seen = (np.asarray(column) for column in np.asarray(points.plan.table).T)
        exact = zoo.cole_hopf.burgers(xd, td, 0.02)
        spread.append((seen - exact).std() / exact.std())
        assert -1 <= xd.min() < -0.99 and 0.99 < xd.max() <= 1 and 0 <= td.min() < 0.01 and 0.99 < td.max() <= 1
        assert case.unknowns == {"nu": (pytest.approx(0.3, rel=1e-6), 0.02)}
    assert spread[0] == 0
    assert spread[1] == pytest.approx(0.01, rel=0.05)


def test_the_unknown_is_logged_and_moves():
    case = zoo.BurgersInverse(steps=20, guess=0.05, **SMALL).build()
    case.solve()
    logged = case.crux.history["nu"]
    assert logged[0] == pytest.approx(0.05, rel=1e-6) and logged[-1] != logged[0]
    assert case.unknowns["nu"][1] == 0.02


def _point_sets(expr):
    found, stack = {}, [expr]
    while stack:
        node = stack.pop()
        stack.extend(node.args)
        if node.points is not None:
            found[node.points] = None
    return found
