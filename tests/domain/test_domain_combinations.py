"""Unions, intersections and differences: points, boundaries, normals, measures, by formulas written out by hand."""

import pickle

import jax
import numpy as np
import pytest
from scipy import stats

from pinnace import domain
from pinnace._errors import DomainError

disk = domain.disk
SQUARE = domain.rectangle((0, 1), (0, 1))
HOLED = SQUARE - domain.disk(center=(0.5, 0.5), radius=0.2)


def plan_of(dom, region, n=512, **settings):
    found = dom.variable(region, n, **settings)
    return (found if isinstance(found, tuple) else (found,))[0].points.plan


def drawn(dom, region, n=512, seed=0, **settings):
    return np.asarray(plan_of(dom, region, n, **settings).init(jax.random.key(seed))[0], np.float64)


def candidates(patch, n, seed):
    """Points of a patch before any are dropped, drawn by NumPy, and which of them are accepted."""
    unit = np.random.default_rng(seed).random((n, patch.cover.dim))
    piece, unit = patch.cover.split(unit)
    points = patch.place(piece, unit)
    good = np.ones(n, bool) if patch.accepts is None else np.asarray(patch.accepts(piece, unit, points))
    return points, good


def even(dom, region, n=20_000, seed=0):
    """Points of a region, drawn independently by NumPy alone: nothing is compiled."""
    points, good = candidates(dom.patch(region), n, seed)
    return points[good]


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


def test_combinations_compare_by_value():
    again = domain.box((0, 1), (0, 1)) - domain.ball((0.5, 0.5), 0.2)
    assert again == HOLED and hash(again) == hash(HOLED)
    assert HOLED != SQUARE & domain.disk(center=(0.5, 0.5), radius=0.2) != HOLED.time(0, 1)


def polar_cells(points):
    """Cells of the plane around the center of the square: a sector and a ring, by area; -1 in the hole."""
    away = points - 0.5
    sector = ((np.arctan2(away[:, 1], away[:, 0]) / np.pi + 1) * 4).astype(int) % 8
    ring = np.digitize(np.hypot(*away.T), [0.2, 0.35, 0.5])
    return np.where(ring == 0, -1, sector * 3 + ring - 1)


def edge_cells(points):
    """Eight parts of the hole's circle, and four of each side of the square."""
    away = points - 0.5
    turn = ((np.arctan2(away[:, 1], away[:, 0]) / np.pi + 1) * 4).astype(int) % 8
    on_side = np.stack([points[:, 0] == 0, points[:, 0] == 1, points[:, 1] == 0, points[:, 1] == 1], axis=1)
    along = np.where(on_side[:, :2].any(axis=1), points[:, 1], points[:, 0])
    return np.where(on_side.any(axis=1), 8 + 4 * on_side.argmax(axis=1) + np.minimum(along * 4, 3).astype(int), turn)


@pytest.mark.parametrize("sampler", ["sobol", "uniform", "grid"])
def test_a_square_with_a_hole_is_filled_evenly(sampler, x64):
    inside = drawn(HOLED, "interior", 4096, sampler=sampler)
    edge = drawn(HOLED, "boundary", 4096, sampler=sampler)
    assert inside.min() > 0 and inside.max() < 1 and np.hypot(*(inside - 0.5).T).min() > 0.2
    around = np.abs(np.hypot(*(edge - 0.5).T) - 0.2)
    straight = np.abs(np.concatenate([edge, 1 - edge], axis=1)).min(axis=1)
    assert np.minimum(around, straight).max() < 1e-12
    normals = np.asarray(plan_of(HOLED, "boundary").normals(edge))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-12)
    on_hole = around < 1e-9
    np.testing.assert_allclose(normals[on_hole], (0.5 - edge[on_hole]) / 0.2, atol=1e-9)

    fine = (np.stack(np.meshgrid(*[np.arange(2000)] * 2), axis=-1).reshape(-1, 2) + 0.5) / 2000
    in_cell = polar_cells(fine)
    areas = np.bincount(in_cell[in_cell >= 0], minlength=24) / len(fine)
    lengths = np.concatenate([np.full(8, 0.4 * np.pi / 8), np.full(16, 0.25)])
    for cells, measures in ((polar_cells(inside), areas), (edge_cells(edge), lengths)):
        counts, share = np.bincount(cells, minlength=len(measures)), measures / measures.sum()
        if sampler == "grid":
            assert np.abs(counts / counts.sum() - share).sum() / 2 < 0.1 and abs(counts.sum() - 4096) < 200
        else:
            assert counts.sum() == 4096 and stats.chisquare(counts, share * 4096).pvalue > 1e-3


TOUCHING = {
    "flush": (SQUARE | domain.rectangle((1, 2), (0, 1)), 2, 6),
    "flush but for rounding": (domain.rectangle((0, 0.3), (0, 1)) | domain.rectangle((0.1 + 0.2, 1), (0, 1)), 1, 4),
    "flush in part": (SQUARE | domain.rectangle((1, 2), (0.5, 2)), 2.5, 8),
    "at a corner": (SQUARE | domain.rectangle((1, 2), (1, 2)), 2, 8),
    "the same twice": (SQUARE | SQUARE, 1, 4),
    "one common side": (SQUARE | domain.rectangle((0, 2), (0, 0.5)), 1.5, 6),
    "overlapping along a side": (SQUARE | domain.rectangle((0.5, 2), (0, 1)), 2, 6),
    "tangent discs": (disk((0, 0), 1) | disk((2, 0), 1), 2 * np.pi, 4 * np.pi),
    "tangent inside": (disk((0, 0), 1) - disk((0.5, 0), 0.5), 0.75 * np.pi, 3 * np.pi),
    "disjoint": (SQUARE | disk((5, 5), 1), 1 + np.pi, 4 + 2 * np.pi),
    "hole that touches": (SQUARE - disk((0.5, 0.3), 0.3), 1 - 0.09 * np.pi, 4 + 0.6 * np.pi),
    "hole flush with a side": (SQUARE - domain.rectangle((0, 0.5), (0.25, 0.75)), 0.75, 5),
    "hole through": (SQUARE - domain.rectangle((0.25, 0.5), (-1, 2)), 0.75, 5.5),
    "hole beside": (SQUARE - domain.rectangle((1, 2), (0, 1)), 1, 4),
    "half a disc": (disk() & domain.rectangle((0, 1), (-1, 1)), np.pi / 2, np.pi + 2),
    "what was taken, put back": ((SQUARE - disk((0.5, 0.5), 0.25)) | disk((0.5, 0.5), 0.25), 1, 4),
    "island": ((SQUARE - disk((0.5, 0.5), 0.4)) | disk((0.5, 0.5), 0.2), 1 - 0.12 * np.pi, 4 + 1.2 * np.pi),
    "hole in a hole": (SQUARE - (SQUARE - disk((0.5, 0.5), 0.25)), np.pi / 16, np.pi / 2),
}


@pytest.mark.parametrize("case", TOUCHING)
def test_shapes_that_touch(case):
    dom, area, length = TOUCHING[case]
    assert dom.measure() == pytest.approx(area, rel=1e-3)
    assert dom.measure("boundary") == pytest.approx(length, rel=2e-3)
    patch = dom.patch("boundary")
    points = even(dom, "boundary", 3000)
    normals, step = np.asarray(patch.normals(points)), 1e-6
    inside, outside = (np.asarray(dom.shape.signed_distance(points + way * step * normals)) for way in (-1, 1))
    assert np.mean((inside < 0) & (outside > 0)) > 0.995
    # one dense point is on every piece of the boundary once: no two candidates stand for the same piece
    assert len(np.unique(points.round(9), axis=0)) == len(points)


def test_what_shapes_have_in_common_gets_points_once():
    dom = SQUARE | domain.rectangle((0.5, 1.5), (0, 1)) | disk((1, 0.5), 0.5)
    thirds = np.bincount((even(dom, "interior", 30_000)[:, 0] * 2).astype(int), minlength=3)
    assert stats.chisquare(thirds).pvalue > 1e-3
    lens = even(disk((0, 0), 1) & disk((1, 0), 1), "interior", 30_000)
    assert stats.binomtest(int((lens[:, 0] < 0.5).sum()), len(lens), 0.5).pvalue > 1e-3
    assert np.hypot(*lens.T).max() < 1 and np.hypot(lens[:, 0] - 1, lens[:, 1]).max() < 1


def test_volumes_are_exact_where_one_is_in_the_other():
    holes = SQUARE - disk((0.5, 0.5), 0.2) - disk((0.1, 0.1), 0.05)
    left = 1 - np.pi * (0.04 + 0.0025)
    assert holes.measure() == pytest.approx(left, rel=1e-12)
    assert (holes | disk((9, 9), 1)).time(0, 3).measure() == pytest.approx(3 * (left + np.pi), rel=1e-12)
    assert holes.measure("boundary") == pytest.approx(4 + 0.5 * np.pi, rel=1e-12)
    assert plan_of(holes, "interior").measure == holes.measure()


def test_six_dimensions(x64):
    dom = domain.box(*[(-1, 1)] * 6) - domain.ball([0.0] * 6, 0.9)
    volume, sphere = 64 - np.pi**3 / 6 * 0.9**6, np.pi**3 * 0.9**5
    assert dom.measure() == pytest.approx(volume, rel=1e-12)
    assert dom.measure("boundary") == pytest.approx(12 * 32 + sphere, rel=1e-12)
    inside = drawn(dom, "interior", 4096)
    assert np.abs(inside).max() <= 1 and np.linalg.norm(inside, axis=1).min() >= 0.9
    plan = plan_of(dom, "boundary", 4096)
    points = np.asarray(plan.init(jax.random.key(0))[0])
    round_, flat = np.abs(np.linalg.norm(points, axis=1) - 0.9), np.abs(np.abs(points) - 1).min(axis=1)
    assert np.minimum(round_, flat).max() < 1e-12
    share = sphere / (12 * 32 + sphere)
    assert np.mean(round_ < 1e-9) == pytest.approx(share, abs=4 * np.sqrt(share / 4096))
    normals = np.asarray(plan.normals(points))
    out, into = points + 1e-6 * normals, points - 1e-6 * normals
    inner = [np.all(np.abs(p) < 1, axis=1) & (np.linalg.norm(p, axis=1) > 0.9) for p in (out, into)]
    assert not inner[0].any() and inner[1].mean() > 0.999


def test_unions_and_differences_of_intervals_have_each_end_once(x64):
    line = (domain.interval(0, 1) | domain.interval(1, 2) | domain.interval(3, 4)) - domain.interval(0.5, 0.7)
    plan = plan_of(line, "boundary")
    ends = np.asarray(plan.init(jax.random.key(0))[0])
    outward = dict(zip(ends[:, 0].tolist(), plan.normals(ends)[:, 0].tolist(), strict=True))
    assert outward == {0: -1, 2: 1, 3: -1, 4: 1, 0.5: 1, 0.7: -1}
    assert line.measure() == pytest.approx(2.8, rel=1e-12) and line.measure("boundary") == plan.size == 6
    timed = drawn(line.time(0, 1), "boundary", 600)
    assert np.unique(timed[:, 0], return_counts=True)[1].tolist() == [100] * 6
    inside = drawn(line, "interior", 1000)[:, 0]
    pieces = [np.mean((a < inside) & (inside < b)) for a, b in ((0, 0.5), (0.7, 2), (3, 4))]
    np.testing.assert_allclose(pieces, np.array([0.5, 1.3, 1]) / 2.8, atol=5e-3)


@pytest.mark.parametrize("region", ["interior", "boundary"])
def test_points_of_combinations_stay_right_when_drawn_in_the_step(region):
    dom = (HOLED - disk((0, 0), 0.5) | domain.rectangle((1, 2), (0, 1))).time(0, 1)
    plan = plan_of(dom, region, 256, resample=2, sampler="uniform")
    points, state = plan.init(jax.random.key(5))
    moved, _ = jax.jit(plan.update)(points, state, step=2, key=jax.random.key(5))
    assert moved.shape == points.shape == (256, 3) and np.all(np.any(np.asarray(moved) != points, axis=1))
    for found in (points, moved):
        x, y, t = np.asarray(found, np.float64).T
        one = (x >= 0) & (x <= 1) & (np.hypot(x - 0.5, y - 0.5) >= 0.2) & (np.hypot(x, y) >= 0.5)
        two = (x >= 1) & (x <= 2)
        if region == "interior":  # single precision, and yet nothing is outside
            assert np.all((one | two) & (y >= 0) & (y <= 1) & (t >= 0) & (t <= 1))
        else:
            near = [np.hypot(x - 0.5, y - 0.5) - 0.2, np.hypot(x, y) - 0.5, x, x - 2, y, 1 - y]
            assert np.abs(near).min(axis=0).max() < 1e-6 and not np.any((np.abs(x - 1) < 1e-9) & (y > 0) & (y < 1))
    again = pickle.loads(pickle.dumps(plan))
    np.testing.assert_array_equal(again.init(jax.random.key(5))[0], points)
    assert again.size == plan.size and again.told == plan.told


MISTAKES = {
    "nothing left": (lambda: SQUARE - disk((0.5, 0.5), 2), "nothing is left of .*the second one covers the first"),
    "nothing of itself": (lambda: SQUARE - SQUARE, "nothing is left of"),
    "nothing in common": (lambda: SQUARE & disk((5, 5), 1), "nothing is left of .*no volume in common"),
    "a common side": (lambda: SQUARE & domain.rectangle((1, 2), (0, 1)), "no volume in common"),
    "time before": (lambda: SQUARE.time(0, 1) - SQUARE, r"has time.*Combine first.*\(a - b\).time\(0, 1\)"),
    "parameters before": (lambda: SQUARE | SQUARE.vary(k=(0, 1)), r"has parameters.*\(a \| b\).vary\(k=\(0, 1\)\)"),
    "times": (lambda: domain.time(0, 1) | domain.time(1, 2), "has time"),
    "other dimension": (lambda: SQUARE | domain.interval(0, 1), r"has 2 dimensions and interval\(0, 1\) has 1"),
    "other axes": (lambda: SQUARE & disk(names=("r", "z")), "has axes x, y and .* has axes r, z"),
    "no domain": (lambda: SQUARE - 3, "- 3: a domain is combined with a domain"),
    "a side that is gone": (
        lambda: (SQUARE - domain.rectangle((-1, 0.5), (-1, 2)).tag("cut")).variable("left"),
        'nothing is left of "left" in rectangle',
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_combined_is_an_error(mistake):
    call, told = MISTAKES[mistake]
    with pytest.raises(DomainError, match=told):
        call()
