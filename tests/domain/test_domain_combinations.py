"""Unions, intersections and differences: points, boundaries, normals, measures, by formulas written out by hand."""

import jax
import numpy as np
import pytest

from pinnace import domain
from pinnace._errors import DomainError

SQUARE = domain.rectangle((0, 1), (0, 1))
HOLED = SQUARE - domain.disk(center=(0.5, 0.5), radius=0.2)


def plan_of(dom, region, n=512, **settings):
    found = dom.variable(region, n, **settings)
    return (found if isinstance(found, tuple) else (found,))[0].points.plan


def drawn(dom, region, n=512, seed=0, **settings):
    return np.asarray(plan_of(dom, region, n, **settings).init(jax.random.key(seed))[0], np.float64)


def test_combinations_read_as_they_are_written():
    disk, other = domain.disk(center=(0.5, 0.5), radius=0.2), domain.disk((0, 0), 1)
    square = "rectangle((0, 1), (0, 1))"
    hole, rest = "disk(center=(0.5, 0.5), radius=0.2)", "disk(center=(0, 0), radius=1)"
    assert repr(SQUARE - disk) == f"{square} - {hole}"
    assert repr(SQUARE - (other - disk)) == f"{square} - ({rest} - {hole})"
    assert repr(SQUARE - disk | other) == f"{square} - {hole} | {rest}"
    assert repr((SQUARE | disk) & other) == f"({square} | {hole}) & {rest}"
    assert repr((SQUARE - disk).time(0, 1)) == f"({square} - {hole}) x time(0, 1)"
    assert repr(SQUARE - disk.tag("hole")) == f'{square} - {hole}.tag("hole")'


@pytest.mark.parametrize("sampler", ["sobol", "uniform", "grid"])
def test_a_square_with_a_hole(sampler, x64):
    inside = drawn(HOLED, "interior", sampler=sampler)
    away = np.hypot(*(inside - 0.5).T)
    assert inside.min() > 0 and inside.max() < 1 and away.min() > 0.2
    edge = drawn(HOLED, "boundary", sampler=sampler)
    around = np.abs(np.hypot(*(edge - 0.5).T) - 0.2)
    straight = np.abs(np.concatenate([edge, 1 - edge], axis=1)).min(axis=1)
    assert np.minimum(around, straight).max() < 1e-12
    assert np.mean(around < 1e-9) == pytest.approx(0.4 * np.pi / (4 + 0.4 * np.pi), abs=0.05)
    normals = np.asarray(plan_of(HOLED, "boundary").normals(edge))
    np.testing.assert_allclose(normals[around < 1e-9], (0.5 - edge[around < 1e-9]) / 0.2, atol=1e-9)


def test_unions_and_differences_of_intervals_have_each_end_once():
    line = (domain.interval(0, 1) | domain.interval(1, 2) | domain.interval(3, 4)) - domain.interval(0.5, 0.7)
    assert sorted(drawn(line, "boundary").ravel()) == pytest.approx([0, 0.5, 0.7, 2, 3, 4])
    assert line.measure() == pytest.approx(2.8, rel=1e-3) and line.measure("boundary") == 6
    timed = drawn(line.time(0, 1), "boundary", 600)
    assert np.unique(timed[:, 0], return_counts=True)[1].tolist() == [100] * 6


MISTAKES = {
    "nothing left": (
        lambda: SQUARE - domain.disk((0.5, 0.5), 2),
        "nothing is left of .*the second one covers the first",
    ),
    "nothing in common": (lambda: SQUARE & domain.disk((5, 5), 1), "nothing is left of .*no volume in common"),
    "time before": (lambda: SQUARE.time(0, 1) - SQUARE, r"has time.*Combine first.*\(a - b\).time\(0, 1\)"),
    "other dimension": (lambda: SQUARE | domain.interval(0, 1), r"has 2 dimensions and interval\(0, 1\) has 1"),
    "other axes": (lambda: SQUARE & domain.disk(names=("r", "z")), "has axes x, y and .* has axes r, z"),
    "no domain": (lambda: SQUARE - 3, "- 3: a domain is combined with a domain"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_combined_is_an_error(mistake):
    call, told = MISTAKES[mistake]
    with pytest.raises(DomainError, match=told):
        call()
