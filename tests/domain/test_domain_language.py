"""What users write: coordinates, names, representations, and every mistake."""

import pickle

import jax
import numpy as np
import pytest

from pinnace import domain
from pinnace._errors import DomainError
from pinnace.expr import Expr

INF, NAN = float("inf"), float("nan")


def axes(found):
    return [(part.kind, part.data[1]) for part in (found if isinstance(found, tuple) else (found,))]


def test_variable_gives_one_symbol_an_axis_of_one_point_set():
    x, t = domain.interval(-1, 1).time(0, 1).variable("interior", 2_000, sampler="sobol", resample=None)
    assert axes((x, t)) == [("coordinate", 0), ("coordinate", 1)]
    assert x.points is t.points and x.points.size == 2000 and x.points.axes == ("x", "t")
    assert x.points.label == "interior of interval(-1, 1) x time(0, 1)"


def test_a_single_axis_gives_the_symbol_itself():
    assert isinstance(domain.interval(0, 1).variable("interior", 10), Expr)
    assert isinstance(domain.time(0, 1).variable("final"), Expr)


def test_two_calls_give_two_point_sets_of_1024_points():
    dom = domain.disk()
    (x, _), (x2, _) = dom.variable("interior"), dom.variable("interior")
    assert x.points is not x2.points and x.points.size == 1024


@pytest.mark.parametrize(
    ("dom", "expected"),
    [
        (domain.interval(0, 1), ("x",)),
        (domain.rectangle((0, 1), (0, 1)).time(0, 1), ("x", "y", "t")),
        (domain.box((0, 1), (0, 1), (0, 1)), ("x", "y", "z")),
        (domain.box(*[(0, 1)] * 4).time(0, 1), ("x1", "x2", "x3", "x4", "t")),
        (domain.time(0, 1), ("t",)),
        (domain.disk(names=("r", "s")).time(0, 1, name="tau"), ("r", "s", "tau")),
        (domain.interval(0, 1, names="xi"), ("xi",)),
        (domain.time(0, 1, name="s"), ("s",)),
    ],
    ids=str,
)
def test_axes_have_names(dom, expected):
    assert dom.axes == expected


@pytest.mark.parametrize(
    ("dom", "expected"),
    [
        (domain.interval(0, 1), "interior boundary left right x_min x_max"),
        (domain.interval(0, 1).time(0, 1), "interior boundary initial final left right x_min x_max"),
        (
            domain.rectangle((0, 1), (0, 1)),
            "interior boundary left right bottom top x_min x_max y_min y_max",
        ),
        (domain.box(*[(0, 1)] * 3), "interior boundary x_min x_max y_min y_max z_min z_max"),
        (domain.interval(0, 1, names="r"), "interior boundary left right r_min r_max"),
        (domain.disk(), "interior boundary"),
        (domain.time(0, 1), "interior initial final"),
    ],
    ids=str,
)
def test_regions(dom, expected):
    assert dom.regions == tuple(expected.split())
    for region in dom.regions:
        dom.variable(region, 3)


@pytest.mark.parametrize(
    ("dom", "expected"),
    [
        (domain.interval(-1, 1.0).time(0, 1), "interval(-1, 1) x time(0, 1)"),
        (domain.rectangle((0, 0.5), (-2, 2)), "rectangle((0, 0.5), (-2, 2))"),
        (domain.box((0, 1), (0, 1), (0, 1)), "box((0, 1), (0, 1), (0, 1))"),
        (domain.disk((0, 1), 2), "disk(center=(0, 1), radius=2)"),
        (domain.time(0, 2.5), "time(0, 2.5)"),
    ],
)
def test_domains_read_as_they_are_written(dom, expected):
    assert repr(dom) == expected


def test_domains_compare_by_value():
    assert domain.box((0, 1), (0, 2)) == domain.rectangle((0, 1), (0, 2)) != domain.rectangle((0, 1), (0, 3))
    assert len({domain.disk(), domain.disk((0.0, 0.0), 1)}) == 1


def test_bounds_may_be_any_real_numbers():
    dom = domain.rectangle((np.float32(0), np.int64(1)), np.array([0, 2.5])).time(jax.numpy.array(0.5), 1)
    assert dom == domain.rectangle((0, 1), (0, 2.5)).time(0.5, 1)
    assert domain.interval(0, 1).variable("interior", np.int32(5)).points.size == 5


def test_the_size_of_a_grid_is_the_real_number():
    x, _ = domain.rectangle((0, 1), (0, 1)).variable("interior", 1000, sampler="grid")
    assert x.points.size == 32 * 31 == len(x.points.plan.init(jax.random.key(0))[0])


line, square, timed = (
    domain.interval(-1, 1),
    domain.rectangle((0, 1), (0, 1)),
    domain.interval(-1, 1).time(0, 1),
)
x = line.variable("interior", 3)

MISTAKES = {
    "interval(1, -1)": (
        lambda: domain.interval(1, -1),
        r"interval\(1, -1\) is reversed: it needs a < b. Swap",
    ),
    "interval(1, 1)": (lambda: domain.interval(1, 1.0), r"interval\(1, 1.0\) is empty: it needs a < b"),
    "interval(0, inf)": (
        lambda: domain.interval(0, INF),
        r"b in interval\(0, inf\) is a finite number; got inf\. Cut",
    ),
    "interval(nan, 1)": (lambda: domain.interval(NAN, 1), "a in .* finite number; got nan"),
    "an endless interval": (lambda: domain.interval(-1.7e308, 1.7e308), "the length of .* finite number"),
    "interval of text": (lambda: domain.interval("0", 1), "a in .* is a number; got '0'"),
    "interval of a truth value": (lambda: domain.interval(False, 1), "is a number; got False"),
    "interval of an expression": (lambda: domain.interval(0, x), r"b in interval\(0, x\) is a number; got x"),
    "interval of arrays": (lambda: domain.interval(np.zeros(2), 1), "is a number; got array"),
    "rectangle reversed": (
        lambda: domain.rectangle((0, 1), (2, 1)),
        r"\(2, 1\) for y in rectangle\(\(0, 1\), \(2, 1\)\) is reversed: it needs low < high",
    ),
    "rectangle of numbers": (lambda: domain.rectangle(0, 1), "takes one pair .* an axis; got 0"),
    "box of triples": (lambda: domain.box((0, 1, 2)), r"takes one pair .* got \(0, 1, 2\)"),
    "empty box": (lambda: domain.box(), "has no ranges: give one pair an axis"),
    "box in names": (lambda: domain.box((0, 1), (0, 1), names=("a",)), "names= takes 2 texts, one an axis"),
    "names that are numbers": (lambda: domain.interval(0, 1, names=(1,)), r"takes 1 text, .* got \(1,\)"),
    "one name twice": (lambda: domain.disk(names=("a", "a")), 'two axes are called "a"'),
    "time as a space axis": (
        lambda: domain.interval(0, 1, names="t").time(0, 1),
        'two axes are called "t".*name=',
    ),
    "radius 0": (lambda: domain.disk(radius=0), "radius .* is not positive: a disk needs radius > 0"),
    "radius -1": (lambda: domain.disk((0, 0), -1), "is not positive"),
    "radius inf": (lambda: domain.disk((0, 0), INF), "the radius in .* finite"),
    "center of three": (lambda: domain.disk((0, 0, 0)), "is a pair of numbers"),
    "center nan": (lambda: domain.disk((0, NAN)), "the center in .* finite"),
    "time reversed": (lambda: line.time(1, 0), r"time\(1, 0\) is reversed: it needs t0 < t1"),
    "time empty": (lambda: domain.time(1, 1), r"time\(1, 1\) is empty"),
    "time endless": (lambda: line.time(0, INF), "t1 in .* finite"),
    "time twice": (
        lambda: timed.time(0, 2),
        r"interval\(-1, 1\) x time\(0, 1\) has time already: leave out .time\(0, 2\)",
    ),
    "time of time": (lambda: domain.time(0, 1).time(0, 2), "has time already"),
    "time without name": (lambda: line.time(0, 1, name=""), "the name of time is a text"),
    "region misspelt": (
        lambda: timed.variable("interor"),
        r"has no region 'interor'; it has \"interior\", .*\. Did you mean \"interior\"\?",
    ),
    "side of another shape": (lambda: domain.disk().variable("left"), "disk.* has no region 'left'; it has"),
    "region no text": (lambda: line.variable(10), "has no region 10"),
    "initial without time": (
        lambda: square.variable("initial"),
        r'has no time, and so no region "initial". Add time: .time\(t0, t1\)',
    ),
    "boundary of an ODE": (
        lambda: domain.time(0, 1).variable("boundary"),
        'has no region \'boundary\'; it has "interior", "initial", "final"',
    ),
    "sampler misspelt": (
        lambda: line.variable("interior", sampler="sobel"),
        'no sampler \'sobel\'; there are "sobol", "uniform", "grid". Did you mean "sobol"?',
    ),
    "sampler no text": (lambda: line.variable("interior", sampler=[]), "no sampler"),
    "n = 0": (
        lambda: line.variable("interior", 0),
        "the number of points, is a whole number, 1 or more; got 0",
    ),
    "n a float": (lambda: line.variable("interior", 2e3), r"got 2000\.0\. Write 2000"),
    "n infinite": (lambda: line.variable("interior", INF), r"got inf\.$"),
    "n a text": (lambda: line.variable("interior", "many"), "got 'many'"),
    "n a truth value": (lambda: line.variable("interior", True), "got True"),
    "n wrong for fixed points": (lambda: line.variable("boundary", -2), "got -2"),
    "resample 0": (
        lambda: line.variable("interior", resample=0),
        "resample, the steps between fresh points, is a whole number",
    ),
    "resample a grid": (
        lambda: line.variable("interior", sampler="grid", resample=10),
        'sampler="grid" gives the same points.*Leave resample out, or take one of "sobol", "uniform"',
    ),
    "bounds too close for single precision": (
        lambda: domain.interval(1000, 1000.00001).variable("interior"),
        r"no two float32 numbers between 1000\.0 and 1000\.00001.*jax_enable_x64",
    ),
    "bounds too far for single precision": (
        lambda: domain.rectangle((0, 1), (0, 1e39)).variable("boundary"),
        r"no two float32 numbers between 0\.0 and 1e\+39",
    ),
    "disk too small for single precision": (
        lambda: domain.disk((1e6, 0), 0.1).variable("interior"),
        "is too small, so far from the origin, for float32 numbers",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_errors_where_they_are_written(mistake):
    call, told = MISTAKES[mistake]
    with pytest.raises(DomainError, match=told):
        call()


def test_double_precision_holds_what_single_does_not(x64):
    assert domain.interval(1000, 1000.00001).variable("interior", 4).points.size == 4


def test_expressions_on_points_are_pickled():
    disk = domain.disk().time(0, 1)
    x, y, t = disk.variable("boundary", 8, resample=2)
    nx, _ = domain.normal(x, y)
    again, same = pickle.loads(pickle.dumps((nx * t, x)))
    plans = [expr.points.plan for expr in (x, same)]
    points, others = (plan.init(jax.random.key(0))[0] for plan in plans)
    np.testing.assert_array_equal(points, others)
    assert again.points is same.points and plans[1].moves
