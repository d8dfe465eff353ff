"""Polygons against shapely's own predicates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import shapely
from scipy import stats

from pinnace import domain
from pinnace._errors import DomainError

CORNERS = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
HOLES = [[(0.2, 0.2), (0.6, 0.2), (0.4, 0.5)], [(1.2, 0.2), (1.4, 0.8), (1.6, 0.3)]]
ROOM = shapely.Polygon(CORNERS, HOLES)
STRIP = shapely.LineString([(3, 0), (4, 1), (5, 0)]).buffer(0.2, quad_segs=2)
SEVERAL = shapely.MultiPolygon([ROOM, STRIP.difference(shapely.Point(4, 0.9).buffer(0.1, quad_segs=1))])
CASES = [
    (domain.polygon(CORNERS, HOLES), ROOM),
    (domain.shapely(ROOM.reverse()), ROOM),
    (domain.shapely(SEVERAL), SEVERAL),
]


def repr_of(value):
    return repr(value)[:20] if isinstance(value, domain.Domain) else value.geom_type


def even(n, dim, seed=0):
    return np.random.default_rng(seed).random((n, dim))


def placed(patch, n, seed=0):
    """Points of a patch on the host, in double precision."""
    piece, unit = patch.cover.split(even(n, patch.cover.dim, seed))
    return np.asarray(patch.place(piece, unit))


@pytest.mark.parametrize(("dom", "geometry"), CASES, ids=repr_of)
def test_measures_are_those_of_shapely(dom, geometry):
    assert dom.measure() == pytest.approx(geometry.area, rel=1e-12)
    assert dom.measure("boundary") == pytest.approx(geometry.length, rel=1e-12)
    assert dom.shape.bounds == tuple(zip(geometry.bounds[:2], geometry.bounds[2:], strict=True))
    assert dom.patch("interior").cover.measures.sum() == pytest.approx(geometry.area, rel=1e-12)


@pytest.mark.parametrize(("dom", "geometry"), CASES, ids=repr_of)
def test_points_are_inside_or_on_the_boundary_with_outward_normals(dom, geometry):
    assert np.all(shapely.contains_xy(geometry, *placed(dom.patch("interior"), 4000).T))
    patch = dom.patch("boundary")
    points = placed(patch, 4000)
    assert shapely.distance(geometry.boundary, shapely.points(points)).max() < 1e-14
    normals = patch.normals(points)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-13)
    inner, outer = (shapely.contains_xy(geometry, *(points + step * normals).T) for step in (-1e-7, 1e-7))
    assert np.all(inner & ~outer)
    np.testing.assert_allclose(normals, dom.shape.outward(points))


@pytest.mark.parametrize(("dom", "geometry"), CASES[1:], ids=repr_of)
def test_points_are_even_by_chi_square(dom, geometry):
    grid = [(x, y) for x in range(21) for y in range(-1, 8)]
    # moved, so that no side is on a line of the grid
    move = np.array([0.03, 0.02])
    squares = [shapely.box(*(np.array([x, y, x + 1, y + 1]) / 4 - [*move, *move])) for x, y in grid]

    def check(region, whole, share):
        points = placed(dom.patch(region), 20_000, seed=3)
        counts = np.bincount(np.floor((points + move) * 4 + [0, 1]).astype(int) @ [9, 1], minlength=len(grid))
        kept = share / whole * len(points) > 5
        expected = share[kept] / whole * len(points)
        seen, rest = counts[kept], len(points) - np.array([counts[kept].sum(), expected.sum()])
        if rest[1] > 5:
            seen, expected = np.append(seen, rest[0]), np.append(expected, rest[1])
        assert len(expected) > 20
        assert stats.chisquare(seen, expected * seen.sum() / expected.sum()).pvalue > 1e-3

    check("interior", geometry.area, shapely.area(shapely.intersection(geometry, squares)))
    check("boundary", geometry.length, shapely.length(shapely.intersection(geometry.boundary, squares)))


def test_parts_have_the_names_of_rings_and_edges_as_they_were_written():
    dom = domain.polygon(CORNERS[::-1], HOLES)
    assert dom.regions[2:] == ("exterior", "hole_0", "hole_1", *(f"edge_{k}" for k in range(12)))
    rings = {"exterior": ROOM.exterior, "hole_0": ROOM.interiors[0], "hole_1": ROOM.interiors[1]}
    backwards = CORNERS[::-1]
    rings |= {f"edge_{k}": shapely.LineString([backwards[k], backwards[(k + 1) % 6]]) for k in range(6)}
    rings |= {"edge_7": shapely.LineString(HOLES[0][1:])}
    for name, line in rings.items():
        points = placed(dom.patch(name), 50)
        assert shapely.distance(line, shapely.points(points)).max() < 1e-14
        assert dom.measure(name) == pytest.approx(line.length)
        assert np.all(dom.shape.on(points, 1e-12, name)) and not np.all(dom.shape.on(points + 0.01, 1e-12, name))
    many = domain.shapely(shapely.Point(0, 0).buffer(1, quad_segs=20))
    assert many.shape.names == ("exterior",)
    corner = np.array([[2.0, 1.0]])
    assert dom.patch("edge_3").normals(corner).tolist() == [[1, 0]]  # of its own edge, at a corner too


@pytest.mark.parametrize(("dom", "geometry"), CASES, ids=repr_of)
def test_signed_distance_is_exact(dom, geometry, x64):
    low, high = np.array(dom.shape.bounds).T
    points = low - 0.5 + even(1500, 2, seed=5) * (high - low + 1)
    far = shapely.distance(geometry.boundary, shapely.points(points))
    expected = np.where(shapely.contains_xy(geometry, *points.T), -far, far)
    np.testing.assert_allclose(dom.shape.signed_distance(points), expected, atol=1e-14)
    np.testing.assert_allclose(dom.shape.signed_distance(jnp.asarray(points)), expected, atol=1e-14)
    on_corner = jax.grad(lambda p: dom.shape.signed_distance(p[None])[0])(jnp.zeros(2))
    assert np.all(np.isfinite(on_corner))


def test_both_sides_of_the_boundary_are_told_apart_in_single_precision():
    for dom, _ in CASES:
        points = placed(dom.patch("boundary"), 3000).astype(np.float32)
        step = 64 * np.finfo(np.float32).eps * dom.shape.scale * dom.shape.outward(points)
        assert np.all(dom.shape.signed_distance(points - step) < 0)
        assert np.all(dom.shape.signed_distance(points + step) > 0)


def test_single_precision_puts_no_point_outside():
    rng, last = np.random.default_rng(0), np.float32(2.0**-24)
    far = [shapely.affinity.rotate(ROOM, 33, origin=(0, 0)), shapely.affinity.translate(STRIP, 700.3, -200.1)]
    for geometry in far:
        patch = domain.shapely(geometry).patch("interior")
        piece = rng.integers(0, len(patch.cover.measures), 5000)
        unit = rng.choice(np.array([last, 1 - last, 0.5, 0], np.float32), (5000, 2))
        points = np.asarray(patch.place(piece, unit), np.float64)
        assert np.all(shapely.contains_xy(geometry, *points.T))
        traced = np.asarray(patch.place(jnp.asarray(piece), jnp.asarray(unit)), np.float64)
        assert traced.shape == (5000, 2) and np.all(shapely.contains_xy(geometry, *traced.T))
    with pytest.raises(DomainError, match="too small, so far from the origin, for float32"):
        domain.shapely(shapely.box(1e6, 0, 1e6 + 1e-2, 1)).variable("interior")


def test_polygons_have_time_and_fresh_points():
    x, _, _ = domain.polygon(CORNERS, HOLES).time(0, 1).variable("interior", 256, resample=3)
    plan = x.points.plan
    first, state = plan.init(jax.random.key(0))
    same, _ = plan.update(first, state, step=2, key=jax.random.key(1))
    fresh, _ = plan.update(first, state, step=3, key=jax.random.key(1))
    np.testing.assert_array_equal(first, same)
    assert not np.any(np.all(np.asarray(fresh) == np.asarray(first), axis=1))
    for points in (first, fresh):
        assert np.all(shapely.contains_xy(ROOM, *np.asarray(points, float)[:, :2].T))


def test_a_grid_fills_the_triangles():
    x, _ = domain.polygon(CORNERS).variable("interior", 2000, sampler="grid")
    assert 1500 < x.points.size < 2600
    points = np.asarray(x.points.plan.init(jax.random.key(0))[0], float)
    counts = np.bincount(np.floor(points).astype(int) @ [2, 1])
    np.testing.assert_allclose(counts / len(points), 1 / 3, atol=0.03)


def test_polygons_combine():
    dom = domain.polygon(CORNERS) - domain.shapely(shapely.Point(0.5, 0.5).buffer(0.3)) | domain.rectangle(
        (2, 3), (0, 1)
    )
    left = shapely.Polygon(CORNERS).difference(shapely.Point(0.5, 0.5).buffer(0.3)).union(shapely.box(2, 0, 3, 1))
    patch = dom.patch("boundary")
    piece, unit = patch.cover.split(even(4000, 1))
    points = patch.place(piece, unit)
    points = points[patch.accepts(piece, unit, points)]
    assert shapely.distance(left.boundary, shapely.points(points)).max() < 1e-12
    normals = patch.normals(points)
    assert np.all(shapely.contains_xy(left, *(points - 1e-7 * normals).T))
    assert not np.any(shapely.contains_xy(left, *(points + 1e-7 * normals).T))
    assert dom.measure("boundary") == pytest.approx(left.length, rel=3e-3)


def test_polygons_compare_by_value():
    one, other = domain.polygon(CORNERS, HOLES), domain.polygon(np.array(CORNERS), HOLES)
    assert one == other and hash(one) == hash(other) and one != domain.polygon(CORNERS)
    assert one.time(0, 1) == other.time(0, 1) and one != domain.polygon(CORNERS, HOLES, names=("r", "z"))
    assert repr(one) == "polygon(12 vertices, 2 holes)"
    assert repr(domain.shapely(SEVERAL)).startswith("shapely(2 polygons, ")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([(0, 0), (1, 1), (1, 0), (0, 1)], r"no valid area: Self-intersection\[0\.5 0\.5\]"),
        ([(0, 0), (1, 1)], "are 2 different corners"),
        ([(0, 0), (1, 1), (0, 0)], "are 2 different corners"),
        ([(0, 0), (1, 1), (2, 2)], "no valid area"),
        ([0, 1, 2], r"pairs of numbers, .* got \[0, 1, 2\]"),
        ("square", "pairs of numbers"),
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0)], "pairs of numbers"),
        ([(0, 0), (1, 0), (float("nan"), 1)], r"number 2 is \(nan, 1\.0\)"),
    ],
)
def test_corners_that_make_no_polygon_are_told(given, told):
    with pytest.raises(DomainError, match=told):
        domain.polygon(given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (shapely.LineString([(0, 0), (1, 1)]), r"a LineString has no area.*\.buffer\(0\.1\)"),
        (shapely.Point(0, 0), "a Point has no area"),
        (shapely.Polygon(), "is empty"),
        (shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(0.5, 0.5, 2, 2)]), "Self-intersection"),
        (shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.Point(3, 3)]), "has a Point in it"),
        ([(0, 0), (1, 0), (0, 1)], "takes a geometry of shapely"),
    ],
)
def test_geometries_without_area_are_told(given, told):
    with pytest.raises(DomainError, match=told):
        domain.shapely(given)


def test_holes_outside_are_told_and_third_coordinates_left_out():
    with pytest.raises(DomainError, match="Hole lies outside shell"):
        domain.polygon(CORNERS, [[(5, 5), (6, 5), (5, 6)]])
    with pytest.raises(DomainError, match=r"hole 0 of polygon\(\.\.\.\)"):
        domain.polygon(CORNERS, [[(5, 5), (6, 5)]])
    assert domain.shapely(shapely.force_3d(ROOM, 3.0)) == domain.shapely(ROOM)
    collection = shapely.GeometryCollection([ROOM, STRIP])
    assert domain.shapely(collection).measure() == pytest.approx(collection.area)
