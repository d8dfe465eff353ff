"""Balls, ellipses, ellipsoids, annuli, simplices: even points, exact sides, normals, distances and measures.

Points are drawn by NumPy through the same maps that the step compiles, and once by the step itself.
"""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from pinnace import domain
from pinnace._errors import DomainError

TETRAHEDRON = domain.simplex((0, 0, 0), (2, 0, 0), (0, 1, 0), (0.5, 0.5, 1))
TRIANGLE = domain.simplex((0, 0), (2, 0.5), (0.3, 1))
ELLIPSE = domain.ellipse((0.5, -1), (2, 0.5), 0.7)
SHAPES = [
    domain.ball((0.3, -0.2, 1), 1.5),
    domain.ball([0.5] * 4, 2),
    domain.ball([0.1] * 7),
    ELLIPSE,
    domain.ellipse((0, 0), (0.5, 3)),
    domain.ellipsoid((1, 2, 3), (3, 1, 0.5)),
    domain.ellipsoid([0] * 5, (1, 2, 1, 0.5, 1)),
    domain.annulus((1, -1), 0.5, 1),
    domain.annulus((0, 0, 2), 0.9, 1),
    domain.annulus([0] * 6, 0.5, 2),
    TRIANGLE,
    TETRAHEDRON,
    domain.simplex(*np.vstack([np.zeros(5), np.eye(5)])),
]


def even(dom, region, n=8000, seed=0, dtype=np.float64):
    """Points of a region, drawn independently by NumPy alone: nothing is compiled."""
    patch = dom.patch(region)
    unit = np.random.default_rng(seed).random((n, patch.cover.dim)).astype(dtype)
    piece, unit = patch.cover.split(unit)
    points = patch.place(piece, unit)
    return points if patch.accepts is None else points[np.asarray(patch.accepts(piece, unit, points))]


def uniform(values):
    """Whether numbers are even in [0, 1]."""
    return stats.kstest(values, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("dim", [2, 3, 4, 5, 6, 7, 12])
def test_balls_and_spheres_are_even_in_every_dimension(dim):
    dom = domain.ball([0.0] * dim, 2)
    inside, on = even(dom, "interior") / 2, even(dom, "boundary") / 2
    assert uniform(np.linalg.norm(inside, axis=1) ** dim)
    np.testing.assert_allclose(np.linalg.norm(on, axis=1), 1, rtol=1e-12)
    rng = np.random.default_rng(1)
    for directions in (on, inside / np.linalg.norm(inside, axis=1, keepdims=True)):
        for along in (*np.eye(dim), *rng.normal(size=(4, dim))):
            height = directions @ (along / np.linalg.norm(along))
            assert uniform(stats.beta.cdf((1 + height) / 2, (dim - 1) / 2, (dim - 1) / 2))
        signs = (directions[:, : min(dim, 4)] > 0) @ 2 ** np.arange(min(dim, 4))
        assert stats.chisquare(np.bincount(signs, minlength=2 ** min(dim, 4))).pvalue > 1e-3
    assert dom.measure() == pytest.approx(np.pi ** (dim / 2) / special.gamma(dim / 2 + 1) * 2**dim, rel=1e-12)
    assert dom.measure("boundary") == pytest.approx(dim * dom.measure() / 2, rel=1e-12)


@pytest.mark.parametrize(("a", "b"), [(2, 0.5), (0.5, 3), (1, 1), (1000, 1)])
def test_points_of_an_ellipse_are_even_along_the_curve_to_1e_10(a, b):
    dom = domain.ellipse((0, 0), (a, b))
    wanted = np.random.default_rng(0).random(2000)
    points = dom.patch("boundary").place(np.zeros(2000, int), wanted[:, None])
    x, y = (points / [a, b]).T
    np.testing.assert_allclose(np.hypot(x, y), 1, rtol=1e-13)
    turn = np.arctan2(y, x) % (2 * np.pi)
    # Legendre's integral of the second kind, counted from the end of the second axis
    length = b * special.ellipeinc(turn, 1 - (a / b) ** 2) if a <= b else None
    if length is None:
        length = a * (special.ellipeinc(turn - np.pi / 2, 1 - (b / a) ** 2) + special.ellipe(1 - (b / a) ** 2))
    whole = 4 * max(a, b) * special.ellipe(1 - (min(a, b) / max(a, b)) ** 2)
    np.testing.assert_allclose(length / whole, wanted, atol=1e-10)
    assert dom.measure("boundary") == pytest.approx(whole, rel=1e-12)
    assert dom.measure() == pytest.approx(np.pi * a * b, rel=1e-12)


def test_an_ellipse_is_turned_by_its_angle():
    points = even(ELLIPSE, "boundary", 500)
    c, s = np.cos(0.7), np.sin(0.7)
    x, y = points[:, 0] - 0.5, points[:, 1] + 1
    np.testing.assert_allclose(((c * x + s * y) / 2) ** 2 + ((c * y - s * x) / 0.5) ** 2, 1, rtol=1e-12)
    low, high = np.array(ELLIPSE.shape.bounds).T
    dense = even(ELLIPSE, "boundary", 20000)
    np.testing.assert_allclose([dense.min(axis=0), dense.max(axis=0)], [low, high], atol=1e-4)
    inside = even(ELLIPSE, "interior")
    u = np.stack([(c * (inside[:, 0] - 0.5) + s * (inside[:, 1] + 1)) / 2, 0 * inside[:, 0]], axis=1)
    u[:, 1] = (c * (inside[:, 1] + 1) - s * (inside[:, 0] - 0.5)) / 0.5
    assert uniform((u**2).sum(axis=1)) and uniform(np.arctan2(u[:, 1], u[:, 0]) / (2 * np.pi) + 0.5)


def test_ellipsoids_are_even_in_area():
    radii = (3.0, 1.0, 0.5)
    dom = domain.ellipsoid((1, 2, 3), radii)
    points = (even(dom, "boundary", 20_000) - [1, 2, 3]) / radii
    height, turn = np.arccos(np.clip(points[:, 2], -1, 1)), np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)

    def density(t, p):
        normal = np.array([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)]) / radii
        return math.prod(radii) * np.linalg.norm(normal) * np.sin(t)

    heights, turns = np.linspace(0, np.pi, 5), np.linspace(0, 2 * np.pi, 9)
    cells = [
        integrate.dblquad(density, p0, p1, t0, t1, epsabs=1e-8)[0]
        for (t0, t1), (p0, p1) in itertools.product(itertools.pairwise(heights), itertools.pairwise(turns))
    ]
    index = np.clip(np.digitize(height, heights) - 1, 0, 3) * 8 + np.clip(np.digitize(turn, turns) - 1, 0, 7)
    counts = np.bincount(index, minlength=32)
    assert stats.chisquare(counts, np.array(cells) / sum(cells) * len(points)).pvalue > 1e-3
    squares = np.array([9 * 1, 9 * 0.25, 1 * 0.25])
    area = 4 * np.pi * special.elliprg(*squares)
    assert dom.measure("boundary") == pytest.approx(area, rel=1e-12) == pytest.approx(sum(cells), rel=1e-6)
    assert uniform((((even(dom, "interior") - [1, 2, 3]) / radii) ** 2).sum(axis=1) ** 1.5)
    sphere = domain.ellipsoid([0.0] * 7, [2.0] * 7)
    assert sphere.measure("boundary") == pytest.approx(domain.ball([0] * 7, 2).measure("boundary"), rel=1e-12)


@pytest.mark.parametrize("dim", [2, 3, 5])
def test_annuli_are_even(dim):
    dom = domain.annulus([1.0] * dim, 0.5, 1.25)
    radius = np.linalg.norm(even(dom, "interior") - 1, axis=1)
    assert uniform((radius**dim - 0.5**dim) / (1.25**dim - 0.5**dim))
    on = np.linalg.norm(even(dom, "boundary") - 1, axis=1)
    outer = on > 1
    np.testing.assert_allclose(on, np.where(outer, 1.25, 0.5), rtol=1e-12)
    share = 1.25 ** (dim - 1) / (1.25 ** (dim - 1) + 0.5 ** (dim - 1))
    assert stats.binomtest(int(outer.sum()), len(on), share).pvalue > 1e-3
    whole, hole = domain.ball([1] * dim, 1.25), domain.ball([1] * dim, 0.5)
    assert dom.measure() == pytest.approx(whole.measure() - hole.measure(), rel=1e-12)
    assert dom.measure("inner") == pytest.approx(hole.measure("boundary"), rel=1e-12)
    assert dom.regions == ("interior", "boundary", "inner", "outer")
    same = whole - hole
    assert same.measure() == pytest.approx(dom.measure(), rel=1e-12)


@pytest.mark.parametrize("dom", [TRIANGLE, TETRAHEDRON, SHAPES[-1]], ids=str)
def test_simplices_are_even_with_faces_opposite_of_their_vertices(dom):
    corners = np.array(dom.shape.vertices)
    dim = len(corners) - 1
    affine = np.linalg.inv(np.vstack([corners.T, np.ones(dim + 1)]))

    def weights(points):
        return np.c_[points, np.ones(len(points))] @ affine.T

    for column in weights(even(dom, "interior")).T:
        assert uniform(stats.beta.cdf(column, 1, dim))
    areas = []
    for face in range(dim + 1):
        on = weights(even(dom, f"face_{face}", 3000))
        np.testing.assert_allclose(on[:, face], 0, atol=1e-12)
        for column in np.delete(on, face, axis=1).T:
            assert uniform(stats.beta.cdf(column, 1, dim - 1))
        edges = np.delete(corners, face, axis=0)
        edges = edges[1:] - edges[0]
        areas.append(math.sqrt(np.linalg.det(edges @ edges.T)) / math.factorial(dim - 1))
        assert dom.measure(f"face_{face}") == pytest.approx(areas[-1], rel=1e-12)
    counts = np.bincount(weights(even(dom, "boundary")).argmin(axis=1), minlength=dim + 1)
    assert stats.chisquare(counts, np.array(areas) / sum(areas) * 8000).pvalue > 1e-3
    assert dom.measure() == pytest.approx(1 / abs(np.linalg.det(affine)) / math.factorial(dim), rel=1e-12)


@pytest.mark.parametrize("dom", SHAPES, ids=str)
def test_normals_have_unit_length_and_point_out(dom):
    h, shape = 1e-6, dom.shape
    for region in ("boundary", *shape.names[-2:]):
        points = even(dom, region, 500)
        normals = np.asarray(dom.patch(region).normals(points))
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-12)
        beyond, within = (shape.signed_distance(points + way * h * normals) for way in (1, -1))
        np.testing.assert_allclose((beyond - within) / (2 * h), 1, rtol=1e-4)
        assert np.abs(shape.signed_distance(points)).max() < 1e-12 and shape.on(points, 1e-12, None).all()
        if region != "boundary":
            others = np.concatenate([even(dom, name, 50) for name in shape.names if name != region])
            assert shape.on(points, 1e-12, region).all() and not shape.on(others, 1e-12, region).any()


@pytest.mark.parametrize("dom", [TRIANGLE, TETRAHEDRON, domain.annulus((0, 0, 2), 0.9, 1), SHAPES[1]], ids=str)
def test_distances_are_exact(dom):
    rng, shape = np.random.default_rng(0), dom.shape
    low, high = np.array(shape.bounds).T
    points = rng.uniform(low - 1, high + 1, (200, len(low)))
    found = shape.signed_distance(points)
    if isinstance(shape, domain.Simplex):
        corners = np.array(shape.vertices)
        heavy = 1e5  # weights that sum to 1 within rounding, by least squares
        system = np.vstack([corners.T, np.full(len(corners), heavy)])
        outside = [optimize.nnls(system, np.append(point, heavy))[1] for point in points]
        expected = np.where(found > 0, outside, found)
        assert np.array_equal(found > 0, np.array(outside) > 1e-7)
        for k in range(len(corners)):  # inside: the nearest of the planes through all but one corner
            face = np.delete(corners, k, axis=0)
            normal = np.linalg.svd(face[1:] - face[0])[2][-1]
            assert np.all(np.abs(found[found < 0]) <= np.abs((points[found < 0] - face[0]) @ normal) + 1e-12)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    else:
        away = np.linalg.norm(points - np.array(shape.center), axis=1)
        radii = (shape.inner, shape.outer) if isinstance(shape, domain.Annulus) else (0, shape.radius)
        expected = np.maximum(radii[0] - away, away - radii[1]) if radii[0] else away - radii[1]
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("dom", [ELLIPSE, SHAPES[4], SHAPES[5]], ids=str)
def test_ellipsoids_know_their_inside_exactly_and_near_distances_to_first_order(dom):
    rng, shape = np.random.default_rng(0), dom.shape
    points, normals = even(dom, "boundary", 300), None
    normals = np.asarray(dom.patch("boundary").normals(points))
    for h in (1e-3, 1e-4):
        gap = shape.signed_distance(points + h * normals)
        curved = np.abs(gap / h - 1).max()
        assert curved < 100 * h
    everywhere = rng.uniform(-4, 4, (4000, len(shape.axes))) + np.array(shape.center)
    local = shape._own(everywhere) if isinstance(shape, domain.Ellipse) else everywhere - np.array(shape.center)
    level = np.linalg.norm(local / np.array(shape.radii), axis=1)
    np.testing.assert_array_equal(shape.signed_distance(everywhere) <= 0, level <= 1)
    assert shape.signed_distance(np.array([shape.center]))[0] == -min(shape.radii)


@pytest.mark.parametrize("dom", SHAPES, ids=str)
def test_single_precision_puts_no_point_outside(dom):
    patch, last = dom.patch("interior"), 2.0**-24
    rng = np.random.default_rng(0)
    unit = rng.choice([last, 1 - last, 0.5, 0.3], size=(3000, patch.cover.dim))
    unit[1000:] = rng.random((2000, patch.cover.dim))
    for kind in (np.asarray, jnp.asarray):
        points = np.asarray(patch.place(kind(np.zeros(3000, int)), kind(unit.astype(np.float32))), np.float64)
        assert np.isfinite(points).all() and dom.shape.signed_distance(points).max() < 0


@pytest.mark.parametrize("sampler", ["sobol", "grid"])
def test_the_step_draws_what_numpy_does(sampler, x64):
    dom = (TETRAHEDRON | domain.ellipsoid((3, 0, 0), (1, 2, 1))) - domain.annulus((3, 0, 0), 0.25, 0.5)
    plan = dom.vary(k=(0, 1)).variable("boundary", 2048, sampler=sampler)[0].points.plan
    base = jax.tree.map(np.asarray, plan.base)
    points = np.asarray(plan.init(jax.random.key(0))[0])
    if sampler == "grid":
        np.testing.assert_allclose(points, plan.patch.place(*base), atol=1e-12)
        assert len(points) == plan.size and abs(plan.size - 2048) < 250
    away = np.linalg.norm(points[:, :3] - [3, 0, 0], axis=1)
    near = [
        np.abs(np.asarray(dom.shape.first.first.signed_distance(points[:, :3]))),
        np.abs(np.linalg.norm((points[:, :3] - [3, 0, 0]) / [1, 2, 1], axis=1) - 1),
        np.abs(away - 0.25),
        np.abs(away - 0.5),
    ]
    assert np.min(near, axis=0).max() < 1e-12
    assert len(np.unique(points.round(12), axis=0)) == len(points)


def test_discs_balls_and_ellipses_of_two_axes_are_the_same_shapes():
    assert domain.ball((0, 1), 2) == domain.disk((0, 1), 2)
    assert domain.ellipsoid((0, 1), (2, 1)) == domain.ellipse((0, 1), (2, 1))
    assert domain.ball([0] * 4).axes == ("x1", "x2", "x3", "x4") and domain.ball().axes == ("x", "y", "z")
    assert domain.annulus((0, 0), 1, 2, names=("r", "s")).axes == ("r", "s")


WRITTEN = [
    (domain.ball((0, 0.5, 1)), "ball(center=(0, 0.5, 1), radius=1)"),
    (ELLIPSE, "ellipse(center=(0.5, -1), radii=(2, 0.5), angle=0.7)"),
    (domain.ellipse((0, 0), (2, 1)), "ellipse(center=(0, 0), radii=(2, 1))"),
    (domain.ellipsoid((0, 0, 0), (3, 2, 1)), "ellipsoid(center=(0, 0, 0), radii=(3, 2, 1))"),
    (domain.annulus((0, 0), 0.5, 1), "annulus(center=(0, 0), inner=0.5, outer=1)"),
    (domain.simplex((0, 0), (1, 0), (0, 1)), "simplex((0, 0), (1, 0), (0, 1))"),
]


@pytest.mark.parametrize(("dom", "expected"), WRITTEN)
def test_shapes_read_as_they_are_written(dom, expected):
    assert repr(dom) == expected


MISTAKES = {
    "ball of a line": (lambda: domain.ball((0,), 2), r"has one dimension: write interval\(-2, 2\)"),
    "ball without radius": (
        lambda: domain.ball((0, 0, 0), 0),
        "the radius in .* is not positive: a ball needs radius > 0",
    ),
    "ball at a number": (lambda: domain.ball(0.0), "takes one number an axis, .* got 0.0"),
    "ellipse in space": (lambda: domain.ellipse((0, 0, 0), (1, 2, 3)), "two numbers for the center .* ellipsoid"),
    "ellipse of a radius": (lambda: domain.ellipse((0, 0), 2), "radii in .* takes one number an axis"),
    "ellipse negative": (lambda: domain.ellipse((0, 0), (1, -2)), "the radii in .* is not positive"),
    "ellipse angle": (lambda: domain.ellipse((0, 0), (1, 2), "0"), "the angle in .* is a number"),
    "ellipsoid of a line": (lambda: domain.ellipsoid((1,), (2,)), r"write interval\(-1, 3\)"),
    "ellipsoid short": (lambda: domain.ellipsoid((0, 0, 0), (1, 2)), "3 numbers for the center and 2 radii"),
    "annulus inside out": (lambda: domain.annulus((0, 0), 2, 1), "is empty: it needs inner < outer"),
    "annulus without hole": (lambda: domain.annulus((0, 0), 0, 1), "the inner in .* is not positive"),
    "annulus of a line": (lambda: domain.annulus((0,), 1, 2), r"write interval\(-2, -1\) \| interval\(1, 2\)"),
    "simplex of two": (lambda: domain.simplex((0, 0), (1, 0)), "one vertex more than there are axes"),
    "simplex without vertices": (lambda: domain.simplex(), "one vertex more than there are axes"),
    "simplex of a line": (lambda: domain.simplex((1,), (0,)), r"write interval\(0, 1\)"),
    "simplex flat": (lambda: domain.simplex((0, 0), (1, 1), (2, 2)), "has no volume"),
    "simplex nan": (lambda: domain.simplex((0, 0), (1, 0), (0, math.nan)), "vertex 2 in .* finite"),
    "annulus too thin": (
        lambda: domain.annulus((1e3, 0), 1, 1.0001).variable("interior"),
        "is too small, so far from the origin, for float32 numbers",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_errors_where_they_are_written(mistake):
    call, told = MISTAKES[mistake]
    with pytest.raises(DomainError, match=told):
        call()
