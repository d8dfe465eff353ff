"""Points lie in their region, evenly, in either precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pinnace import domain

INTERVAL = domain.interval(-1, 2)
RECTANGLE = domain.rectangle((-1, 2), (0.5, 1.5))
BOX = domain.box((0, 1), (-1, 1), (2, 5))
DISK = domain.disk(center=(0.3, -2), radius=1.5)
SPAN = (0.25, 1)
SAMPLERS = ("sobol", "uniform", "grid")


def plan_of(dom, region, n=1024, **settings):
    found = dom.variable(region, n, **settings)
    return (found if isinstance(found, tuple) else (found,))[0].points.plan


def drawn(dom, region, n=1024, seed=0, **settings):
    return np.asarray(plan_of(dom, region, n, **settings).init(jax.random.key(seed))[0])


def scaled(points, ranges):
    low, high = np.array(ranges).T
    return (points - low) / (high - low)


def cells(unit, parts):
    """The number of the cell of each point when every axis is cut into equal parts."""
    index = np.zeros(len(unit), int)
    for column in unit.T:
        index = index * parts + np.minimum((column * parts).astype(int), parts - 1)
    return index


def faces_of(shape, region):
    """The faces of a box that a region is made of, from their names."""
    if region == "boundary":
        return list(range(2 * shape.dim))
    own = {"left": 0, "right": 1, "bottom": 2, "top": 3}
    each = {f"{axis}_{end}": 2 * k + (end == "max") for k, axis in enumerate(shape.axes) for end in ("min", "max")}
    return [face for face in [(own | each).get(region)] if face is not None]


def box_cells(ranges, faces, parts):
    """Cells on faces of a box, and the share of each; a face is (axis, which end)."""
    lengths = np.diff(ranges, axis=1)[:, 0]

    def expected():
        areas = np.array([np.prod(np.delete(lengths, axis)) for axis, _ in faces])
        inner = parts ** (len(ranges) - 1)
        return np.repeat(areas / areas.sum() / inner, inner)

    def place(points):
        index = np.full(len(points), -1)
        for k, (axis, end) in enumerate(faces):
            on = np.abs(points[:, axis] - ranges[axis][end]) < 1e-12
            unit = np.delete(scaled(points, ranges), axis, axis=1)[on]
            index[on] = k * parts ** unit.shape[1] + cells(unit, parts)
        assert np.all(index >= 0)
        return index

    return place, expected()


def disk_unit(points):
    """Coordinates of a disk in which its area is even."""
    away = points - np.array(DISK.shape.center)
    radius = np.linalg.norm(away, axis=1) / DISK.shape.radius
    return np.stack([radius**2, np.arctan2(away[:, 1], away[:, 0]) / (2 * np.pi) + 0.5], axis=1)


def even(unit, dim, parts):
    return (lambda points: cells(unit(points), parts)), np.full(parts**dim, parts**-dim)


def case(dom, region):
    """Where each point falls, and how often it should."""
    shape, timed = dom.shape, dom.span is not None
    if dom == DISK or dom.shape == DISK.shape:
        place, share = even(disk_unit, 2, 4) if region != "boundary" else even(lambda p: disk_unit(p)[:, 1:], 1, 16)
    elif region in ("interior", "initial", "final"):
        place, share = even(lambda p: scaled(p, shape.ranges), shape.dim, {1: 16, 2: 4, 3: 3}[shape.dim])
    else:
        chosen = [divmod(face, 2) for face in faces_of(shape, region)]
        place, share = box_cells(shape.ranges, chosen, 4 if shape.dim < 3 else 2)
    if not timed or region in ("initial", "final"):
        return lambda points: place(points[:, : shape.dim]), share
    early = 4

    def with_time(points):
        return place(points[:, :-1]) * early + cells(scaled(points[:, -1:], [SPAN]), early)

    return with_time, np.repeat(share / early, early)


CASES = [
    *[(dom, "interior") for dom in (INTERVAL, RECTANGLE, BOX, DISK)],
    *[(dom, "boundary") for dom in (RECTANGLE, BOX, DISK)],
    *[(dom.time(*SPAN), "interior") for dom in (INTERVAL, DISK)],
    *[(dom.time(*SPAN), "boundary") for dom in (INTERVAL, BOX, DISK)],
    (INTERVAL.time(*SPAN), "initial"),
    (RECTANGLE.time(*SPAN), "final"),
    (RECTANGLE, "top"),
    (BOX, "y_max"),
    (INTERVAL.time(*SPAN), "right"),
]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("dom", "region"), CASES, ids=lambda value: str(value))
def test_points_are_even_by_chi_square(dom, region, sampler, x64):
    place, share = case(dom, region)
    points = drawn(dom, region, 50_000 if sampler == "grid" else 4096, seed=7, sampler=sampler)
    counts = np.bincount(place(points), minlength=len(share))
    assert abs(share.sum() - 1) < 1e-12 and len(counts) == len(share)
    if sampler == "grid":  # not random: a layer of points more or less in a cell is no matter of chance
        assert np.abs(counts / len(points) - share).sum() / 2 < 0.12
    else:
        assert stats.chisquare(counts, share * len(points)).pvalue > 1e-3


def outside(dom, region, points):
    """How far points are from where they should be, in plain NumPy."""
    shape, far = dom.shape, []
    space = points[:, : shape.dim]
    if shape == DISK.shape:
        gap = np.linalg.norm(space - np.array(shape.center), axis=1) - shape.radius
        far.append(np.abs(gap) if region == "boundary" else gap)
    else:
        low, high = np.array(shape.ranges).T
        far.append(np.maximum(low - space, space - high).max(axis=1))
        gaps = np.stack([np.abs(space - low), np.abs(space - high)], axis=2).reshape(len(space), -1)
        faces = faces_of(shape, region)
        if faces:
            far.append(gaps[:, faces].min(axis=1))
    if dom.span:
        now = points[:, -1]
        held = {"initial": SPAN[0], "final": SPAN[1]}.get(region)
        far.append(np.maximum(SPAN[0] - now, now - SPAN[1]) if held is None else np.abs(now - held))
    return np.max(far, axis=0)


@pytest.mark.parametrize("sampler", ["uniform", "grid"])
@pytest.mark.parametrize("base", [INTERVAL, RECTANGLE, BOX, DISK], ids=str)
def test_points_are_inside_or_on_their_side_to_1e_12(base, sampler, x64):
    dom = base.time(*SPAN)
    for region in ("interior", "boundary", "initial", "final", *base.shape.names[-4:]):
        points = drawn(dom, region, 200, sampler=sampler)
        assert points.dtype == np.float64 and points.shape[1] == len(dom.axes)
        assert outside(dom, region, points).max() <= 1e-12, region


bounds = st.floats(-1e4, 1e4, allow_subnormal=False)
pairs = st.tuples(bounds, bounds).filter(lambda pair: pair[1] - pair[0] > 1e-2)


def at_the_edge(dom, seed):
    """Interior points where the unit cube ends, in double precision as they are."""
    patch, last = dom.patch("interior"), 2.0**-24
    rng = np.random.default_rng(seed)
    unit = rng.choice([last, 1 - last, 0.5, 0.3], size=(500, patch.cover.dim))
    unit[:, -1] = rng.choice([last, 1 - last, *rng.random(50)], size=500)
    return np.asarray(patch.place(jnp.zeros(500, int), jnp.asarray(unit, jnp.float32)), np.float64)


@settings(deadline=None, max_examples=40)
@given(pairs, pairs, st.integers(0, 2**31))
def test_single_precision_puts_no_point_of_a_box_outside(first, second, seed):
    points = at_the_edge(domain.rectangle(first, second).time(0.1, 0.3), seed)
    assert np.all(points >= [first[0], second[0], 0.1]) and np.all(points <= [first[1], second[1], 0.3])


def test_rounding_takes_no_point_out_of_a_box_of_a_few_numbers():
    low, high = (float(np.float32(bound)) for bound in (0.4220572, 0.42205828))
    patch = domain.rectangle((low, high), (-high, -low)).patch("interior")
    unit = np.random.default_rng(0).random((2000, 2)).astype(np.float32) ** 4
    points = np.asarray(patch.place(jnp.zeros(2000, int), jnp.asarray(unit)), np.float64)
    assert np.all(points >= [low, -high]) and np.all(points <= [high, -low])


@settings(deadline=None, max_examples=40)
@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(0, 2**31))
def test_single_precision_puts_no_point_of_a_disk_outside(a, b, radius, seed):
    a, b = a * radius, b * radius
    points = at_the_edge(domain.disk((a, b), radius), seed)
    distance = np.hypot(points[:, 0] - a, points[:, 1] - b)
    assert np.all(distance <= radius)
    assert distance.max() >= radius - 1e-5 * (abs(a) + abs(b) + radius)


def test_points_reach_the_bounds_that_single_precision_can_hold():
    low, high = np.float32(0.1), np.float32(0.3)
    points = drawn(domain.interval(float(low), float(high)), "interior", 2**16, sampler="uniform")
    assert points.min() - low < 1e-5 and high - points.max() < 1e-5


def test_sides_are_the_nearest_numbers_that_single_precision_has():
    assert drawn(domain.interval(0.1, 0.3), "boundary").T.tolist() == [[np.float32(0.1), np.float32(0.3)]]
    now = drawn(domain.interval(0, 1).time(0.1, 0.3), "final")[:, 1]
    assert set(now.tolist()) == {float(np.float32(0.3))}


def test_both_ends_of_an_interval_get_half_of_the_points_each():
    for sampler in ("sobol", "grid"):
        points = drawn(INTERVAL.time(*SPAN), "boundary", 200, sampler=sampler)
        assert (points[:, 0] == -1).sum() == (points[:, 0] == 2).sum() == 100


def test_regions_of_single_points_have_them_once_whatever_n():
    ode = domain.time(0, 2)
    assert drawn(INTERVAL, "boundary", 500).tolist() == [[-1], [2]]
    assert drawn(INTERVAL, "right", 500).tolist() == [[2]]
    assert drawn(ode, "initial", 3).tolist() == [[0]]
    assert drawn(ode, "final", 1, sampler="grid").tolist() == [[2]]
    assert plan_of(ode, "initial", 500).size == plan_of(INTERVAL, "left", 500).size == 1
    assert not plan_of(INTERVAL, "boundary", resample=10).moves
    inner = drawn(ode, "interior", 64)
    assert np.bincount((inner[:, 0] * 32).astype(int), minlength=64).tolist() == [1] * 64


def test_a_grid_takes_time_as_long_as_space_whatever_its_unit():
    for stop in (1e-6, 1, 1e6):
        points = drawn(domain.interval(0, 1).time(0, stop), "interior", 1024, sampler="grid")
        assert len(np.unique(points[:, 0])) == len(np.unique(points[:, 1])) == 32


@pytest.mark.parametrize("dim", [4, 12])
def test_boxes_in_many_dimensions_have_all_their_faces(dim, x64):
    ranges = [(k, k + 1 + k % 3) for k in range(dim)]
    dom = domain.box(*ranges)
    assert dom.axes == tuple(f"x{k}" for k in range(1, dim + 1))
    points = drawn(dom, "boundary", 4096)
    low, high = np.array(ranges).T
    on = np.concatenate([points == low, points == high], axis=1)
    assert np.all(on.sum(axis=1) == 1)
    weights = np.tile(1 / (high - low), 2)
    np.testing.assert_allclose(on.mean(axis=0), weights / weights.sum(), atol=2e-3)
    assert np.all((points >= low) & (points <= high))


@pytest.mark.parametrize("dom", [RECTANGLE, BOX, DISK], ids=str)
def test_signed_distance_and_containment(dom, x64):
    rng = np.random.default_rng(3)
    points = rng.uniform(-4, 6, (500, dom.shape.dim))
    got = np.asarray(dom.shape.signed_distance(jnp.asarray(points)))
    if dom == DISK:
        expected = np.linalg.norm(points - np.array(DISK.shape.center), axis=1) - DISK.shape.radius
    else:
        low, high = np.array(dom.shape.ranges).T
        outer = np.linalg.norm(points - np.clip(points, low, high), axis=1)
        inner = np.minimum(points - low, high - points).min(axis=1)
        expected = np.where(outer > 0, outer, -inner)
    np.testing.assert_allclose(got, expected, atol=1e-12)
    np.testing.assert_array_equal(dom.shape.contains(jnp.asarray(points)), expected <= 0)
    assert np.all(got[: np.argmax(expected < 0)] != 0)
    low, high = np.array(dom.shape.bounds).T
    inside = points[expected <= 0]
    assert np.all((inside >= low) & (inside <= high))
