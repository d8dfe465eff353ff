"""Parameters as further coordinates, and what regions measure with them."""

import jax
import numpy as np
import pytest

from pinnace import domain
from pinnace._errors import DomainError
from pinnace.fn import adaptive

LINE = domain.interval(-1, 2)
VARIED = LINE.vary(k=(0.5, 1.5)).time(0, 2).vary(a=(0, 1), b=(-3, -1))


def drawn(dom, region, n=256, **settings):
    found = dom.variable(region, n, **settings)
    plan = (found if isinstance(found, tuple) else (found,))[0].points.plan
    return np.asarray(plan.init(jax.random.key(0))[0])


def test_coordinates_come_in_the_order_in_which_they_are_added():
    assert VARIED.axes == ("x", "k", "t", "a", "b")
    assert LINE.time(0, 2).vary(k=(0.5, 1.5)).axes == ("x", "t", "k")
    assert VARIED.regions == ("interior", "boundary", "initial", "final", "left", "right", "x_min", "x_max")
    assert [axis.data[1] for axis in VARIED.variable("interior", 8)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("region", "held"),
    [("interior", {}), ("boundary", {}), ("initial", {2: 0}), ("final", {2: 2}), ("right", {0: 2})],
)
def test_regions_are_over_all_values_of_the_parameters(region, held):
    points = drawn(VARIED, region)
    ranges = [(-1, 2), (0.5, 1.5), (0, 2), (0, 1), (-3, -1)]
    for axis, (low, high) in enumerate(ranges):
        column = points[:, axis]
        if axis in held:
            assert np.all(column == held[axis])
        elif axis == 0 and region == "boundary":
            assert np.unique(column, return_counts=True)[1].tolist() == [128, 128]
        else:  # one point in each of as many parts: low discrepancy in every coordinate
            parts = 64 if region == "boundary" else 256
            counts = np.bincount(((column - low) / (high - low) * parts).astype(int), minlength=parts)
            assert counts.min() == counts.max()


def test_parameters_without_space():
    ode = domain.time(0, 1).vary(k=(0.5, 1.5))
    assert ode.axes == ("t", "k") and repr(ode) == "time(0, 1) x vary(k=(0.5, 1.5))"
    start = drawn(ode, "initial", 64)
    assert start.shape == (64, 2) and np.all(start[:, 0] == 0) and len(np.unique(start[:, 1])) == 64
    assert ode.measure() == 1 and ode.measure("initial") == 1 and domain.time(0, 3).measure("initial") == 1
    grid = ode.variable("interior", 100, sampler="grid")[0].points.plan.grid
    assert grid == (10, 10)


def test_normals_leave_parameters_out():
    x, k, t, a, b = VARIED.variable("boundary", 16)
    assert domain.normal(x, k, t, a, b) is domain.normal(x)
    normals = np.asarray(x.points.plan.normals(drawn(VARIED, "boundary", 16)))
    assert normals.shape == (16, 1) and sorted(set(normals[:, 0].tolist())) == [-1, 1]


def test_measures_are_those_of_space_times_the_spans():
    assert VARIED.measure() == 3 * 1 * 2 * 1 * 2 and VARIED.measure("initial") == 3 * 1 * 1 * 2
    assert VARIED.measure("boundary") == 2 * 1 * 2 * 1 * 2 and VARIED.measure("left") == 4
    room = domain.rectangle((0, 2), (0, 1)).vary(k=(0, 3))
    assert room.measure("top") == pytest.approx(6) and room.measure("left") == pytest.approx(3)
    assert domain.box((0, 1), (0, 2), (0, 3)).measure("boundary") == pytest.approx(22)
    assert domain.box((0, 1), (0, 2), (0, 3)).measure("z_max") == 2
    plan = VARIED.variable("initial", 8)[0].points.plan
    assert plan.measure == 6
    with pytest.raises(DomainError, match="has no region 'midle'"):
        VARIED.measure("midle")


def test_ranges_are_known_wherever_time_stands():
    x, _, t, _, _ = VARIED.variable("interior", 64)
    plan = x.points.plan
    assert plan.range_of(2) == (0, 2) and plan.range_of(1) == (0.5, 1.5) and plan.range_of(4) == (-3, -1)
    with pytest.raises(DomainError, match="x is a coordinate of space"):
        plan.range_of(0)
    assert adaptive.causal((x * t).named("r"), t).points is x.points
    assert VARIED.span.name == "t" and LINE.vary(k=(0, 1)).span is None


def test_domains_read_as_they_are_written_and_compare_by_value():
    assert repr(VARIED) == "interval(-1, 2) x vary(k=(0.5, 1.5)) x time(0, 2) x vary(a=(0, 1), b=(-3, -1))"
    assert LINE.vary(k=(0, 1), a=(0, 1)) == LINE.vary(k=(0, 1)).vary(a=(0.0, 1.0)) != LINE.vary(a=(0, 1), k=(0, 1))


MISTAKES = {
    "no parameters": (lambda: LINE.vary(), r"vary\(\) has no parameters"),
    "a number": (lambda: LINE.vary(k=1), r"vary\(k=1\) takes a pair \(low, high\), for example vary\(k=\(0.5, 1.5\)\)"),
    "reversed": (lambda: LINE.vary(k=(2, 1)), r"\(2, 1\) in vary\(k=\(2, 1\)\) is reversed: it needs low < high"),
    "infinite": (lambda: LINE.vary(k=(0, float("inf"))), "high in .* finite number"),
    "name of space": (lambda: LINE.vary(x=(0, 1)), 'two axes are called "x"'),
    "name of time": (lambda: LINE.time(0, 1).vary(t=(0, 1)), 'two axes are called "t"'),
    "time with that name": (lambda: LINE.vary(t=(0, 1)).time(0, 1), 'two axes are called "t"'),
    "twice": (lambda: LINE.vary(k=(0, 1)).vary(k=(0, 1)), 'two axes are called "k"'),
    "initial without time": (lambda: LINE.vary(k=(0, 1)).variable("initial"), "has no time"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_errors_where_they_are_written(mistake):
    call, told = MISTAKES[mistake]
    with pytest.raises(DomainError, match=told):
        call()
