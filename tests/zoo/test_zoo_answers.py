"""Answers on grids with gaps, at scattered points, of several components."""

import jax
import numpy as np
import pytest

import pinnace as pn
from pinnace import zoo


@pytest.fixture(scope="module")
def case():
    return zoo.Poisson(steps=1, width=4, depth=1, points=16).build()


def test_nothing_is_compared_where_there_is_no_reference(case):
    whole = case.posed.solution
    found = whole.found(case.crux)
    exact = found + 0.5
    exact[:40] = np.nan
    answer = zoo.Answer(whole.expr, exact, whole.points)
    wanted = 0.5 * np.sqrt(exact[40:].size) / np.linalg.norm(exact[40:])
    assert answer.error(case.crux) == pytest.approx(wanted, rel=1e-6)


def test_points_may_be_scattered(case):
    x, y = case.posed.solution.points
    columns = np.random.default_rng(0).uniform(size=(2, 50))
    answer = zoo.Answer(x + 2 * y, columns[0] + 2 * columns[1], {x: columns[0], y: columns[1]}, scattered=True)
    assert answer.found(case.crux).shape == (50,)
    assert answer.error(case.crux) < 1e-6


def test_a_coordinate_may_be_held_and_components_are_last(case):
    x, y = case.posed.solution.points
    side = np.linspace(0, 1, 5)
    answer = zoo.Answer(pn.np.stack([x, y]), np.stack([side, 0 * side + 0.5], axis=1), {x: side, y: 0.5})
    assert answer.found(case.crux).shape == (5, 2)
    assert answer.error(case.crux) < 1e-7


@pytest.mark.parametrize("name", zoo.PROBLEMS)
def test_every_problem_has_a_picture_of_one_or_two_axes(name):
    posed = zoo.by_name(name)(width=4, depth=1, points=16).pose(jax.random.key(0))
    shown = posed.picture or posed.solution
    axes = tuple(len(values) for values in shown.points.values() if np.ndim(values))
    assert 1 <= len(axes) <= 2 and not shown.scattered and shown.exact.shape == axes
    assert not shown.expr.shape
