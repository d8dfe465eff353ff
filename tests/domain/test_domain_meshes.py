"""Meshes against trimesh, SciPy, and the torus' own formula."""

import sys

import jax
import jax.numpy as jnp
import meshio
import numpy as np
import pytest
import trimesh
from scipy import stats
from scipy.spatial import ConvexHull, Delaunay

from pinnace import domain
from pinnace._errors import DomainError

TORUS = trimesh.creation.torus(1.0, 0.4, major_sections=16, minor_sections=8)


@pytest.fixture(scope="module")
def torus(tmp_path_factory):
    """A torus that was written as STL and read again."""
    path = tmp_path_factory.mktemp("meshes") / "torus.stl"
    TORUS.export(path)
    return domain.mesh(path)


def placed(patch, n, seed=0):
    """Points of a patch on the host, in double precision, and the pieces that they are on."""
    piece, unit = patch.cover.split(np.random.default_rng(seed).random((n, patch.cover.dim)))
    points = np.asarray(patch.place(piece, unit))
    if patch.accepts is None:
        return points, piece
    good = np.asarray(patch.accepts(piece, unit, points))
    return points[good], piece[good]


def inside(mesh, points):
    """By rays along a direction of their own, in plain NumPy: an odd number of triangles is met."""
    ray = np.array([0.3713, 0.5671, 0.7351])
    a, b, c = np.swapaxes(mesh.triangles, 0, 1)
    odd = np.zeros(len(points), int)
    for start, one, other in zip(a, b - a, c - a, strict=True):
        across = np.cross(ray, other)
        scale = one @ across
        away = points - start
        u, turned = away @ across / scale, np.cross(away, one)
        v, t = turned @ ray / scale, turned @ other / scale
        odd += (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    return odd % 2 == 1


def test_a_torus_from_stl_has_its_measures(torus):
    assert torus.measure() == pytest.approx(TORUS.volume, rel=1e-6)
    assert torus.measure("boundary") == pytest.approx(TORUS.area, rel=1e-6)
    np.testing.assert_allclose(np.array(torus.shape.bounds).T, TORUS.bounds, atol=1e-6)
    assert repr(torus) == "mesh('torus.stl') of 256 triangles"
    assert torus.regions == ("interior", "boundary") and torus.axes == ("x", "y", "z")


def test_points_of_the_interior_are_inside_the_torus_and_even(torus):
    points, _ = placed(torus.patch("interior"), 20_000)
    assert np.all(inside(TORUS, points))
    # the torus' own formula, less what chords cut off
    assert np.all(np.hypot(np.hypot(points[:, 0], points[:, 1]) - 1, points[:, 2]) < 0.42)
    share = TORUS.volume / np.prod(np.ptp(TORUS.bounds, axis=0))
    assert len(points) == pytest.approx(20_000 * share, abs=4 * np.sqrt(20_000 * share * (1 - share)))
    # the mesh is the same in each of 16 sectors, above and below
    sector = ((np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) % 1) * 16).astype(int)
    assert stats.chisquare(np.bincount(2 * sector + (points[:, 2] > 0), minlength=32)).pvalue > 1e-3


def test_all_candidates_are_told_apart_as_by_rays(torus):
    box = trimesh.creation.box((1, 2, 3))
    shell = trimesh.util.concatenate([trimesh.creation.icosphere(2, 1.0), trimesh.creation.icosphere(1, 0.5)])
    shell.faces[320:] = shell.faces[320:, ::-1]  # a ball with a hole
    for mesh in (TORUS, box, shell):
        dom = domain.mesh(mesh)
        low, high = mesh.bounds
        points = np.random.default_rng(1).uniform(low, high, (2000, 3))
        found = dom.patch("interior").accepts(np.zeros(2000, int), points, points)
        np.testing.assert_array_equal(found, inside(mesh, points))
        assert dom.measure() == pytest.approx(mesh.volume, rel=1e-12)


def test_points_of_the_boundary_are_on_the_torus_with_outward_normals(torus):
    patch = torus.patch("boundary")
    points, _ = placed(patch, 3000)
    _, far, faces = trimesh.proximity.closest_point_naive(TORUS, points)
    assert far.max() < 1e-6
    normals = patch.normals(points)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(np.sum(normals * TORUS.face_normals[faces], axis=1), 1, atol=1e-5)
    assert np.all(inside(TORUS, points[:500] - 1e-4 * normals[:500]))
    assert not np.any(inside(TORUS, points[:500] + 1e-4 * normals[:500]))
    share = TORUS.area_faces.reshape(32, 8).sum(axis=1) / TORUS.area
    assert stats.chisquare(np.bincount(faces // 8, minlength=32), share * len(points)).pvalue > 1e-3


def test_signed_distance_is_exact(torus, x64):
    points = np.random.default_rng(2).uniform(-1.6, 1.6, (400, 3))
    far = trimesh.proximity.closest_point_naive(TORUS, points)[1]
    expected = np.where(inside(TORUS, points), -far, far)
    dom = domain.mesh(TORUS)
    np.testing.assert_allclose(dom.shape.signed_distance(points), expected, atol=1e-12)
    np.testing.assert_allclose(dom.shape.signed_distance(jnp.asarray(points)), expected, atol=1e-12)
    np.testing.assert_allclose(torus.shape.signed_distance(points), expected, atol=1e-6)


def test_both_sides_of_the_surface_are_told_apart_in_single_precision(torus):
    points = placed(torus.patch("boundary"), 2000)[0].astype(np.float32)
    step = 64 * np.finfo(np.float32).eps * torus.shape.scale * torus.shape.outward(points)
    assert np.all(torus.shape.signed_distance(points - step) < 0)
    assert np.all(torus.shape.signed_distance(points + step) > 0)


def test_a_solid_has_fresh_points_in_single_precision(torus):
    x, _, _ = torus.variable("interior", 500, resample=2)
    plan = x.points.plan
    first, state = plan.init(jax.random.key(0))
    fresh, _ = plan.update(first, state, step=2, key=jax.random.key(1))
    for points in (first, fresh):
        assert points.shape == (500, 3) and points.dtype == jnp.float32
        assert np.all(inside(domain_mesh(torus), np.asarray(points, float)))
    assert len(np.unique(np.concatenate([first, fresh]), axis=0)) == 1000


def domain_mesh(dom):
    """The triangles that a domain was made of."""
    return trimesh.Trimesh(dom.shape.facets.reshape(-1, 3), np.arange(3 * len(dom.shape.facets)).reshape(-1, 3))


def test_other_files_and_meshes_give_the_same(tmp_path):
    expected = domain.mesh(TORUS)
    for suffix in ("obj", "ply", "off"):
        TORUS.export(tmp_path / f"torus.{suffix}")
        assert domain.mesh(str(tmp_path / f"torus.{suffix}")).measure() == pytest.approx(TORUS.volume, rel=1e-6)
    surface = meshio.Mesh(TORUS.vertices, [("triangle", TORUS.faces)])
    surface.write(tmp_path / "torus.vtu")
    for source in (surface, tmp_path / "torus.vtu"):
        np.testing.assert_array_equal(domain.mesh(source).shape.facets, expected.shape.facets)
    inverted = TORUS.copy()
    inverted.invert()
    assert domain.mesh(inverted).measure() == pytest.approx(TORUS.volume)
    assert expected == domain.mesh(TORUS.copy()) and hash(expected) == hash(domain.mesh(TORUS))
    assert domain.mesh(trimesh.creation.box((1, 2, 3))).measure() == pytest.approx(6)


CUBE = np.stack(np.meshgrid(*[range(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3).astype(float)
KUHN = [
    [np.eye(3, dtype=int)[list(order[:k])].sum(axis=0) for k in range(4)]
    for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0])
]


def corner_mesh():
    """The cube of side 2 without the cube [1, 2]^3, in tetrahedra."""
    cells = [
        [np.ravel_multi_index(np.array(cube) + corner, (3, 3, 3)) for corner in cell]
        for cube in np.ndindex(2, 2, 2)
        if cube != (1, 1, 1)
        for cell in KUHN
    ]
    floor = [[k for k in cell if CUBE[k, 2] == 0] for cell in cells]
    return np.array(cells), np.array([face for face in floor if len(face) == 3])


def in_corner(points, room=0.0):
    return np.all((points >= room) & (points <= 2 - room), axis=1) & ~np.all(points >= 1 - room, axis=1)


def test_tetrahedra_fill_their_domain_and_sides_that_occur_once_bound_it(tmp_path):
    cells, floor = corner_mesh()
    tags = [np.zeros(len(cells), int), np.full(len(floor), 7)]
    mesh = meshio.Mesh(
        CUBE,
        [("tetra", cells), ("triangle", floor)],
        cell_data={"gmsh:physical": tags, "gmsh:geometrical": tags},
        field_data={"floor": np.array([7, 2])},
    )
    mesh.write(tmp_path / "corner.msh", file_format="gmsh22", binary=False)
    dom = domain.mesh(tmp_path / "corner.msh")
    assert dom.regions == ("interior", "boundary", "floor")
    assert dom.measure() == pytest.approx(7) and dom.measure("boundary") == pytest.approx(24)
    assert dom.measure("floor") == pytest.approx(4)
    points, _ = placed(dom.patch("interior"), 16_000)
    assert np.all(in_corner(points))
    counts = np.bincount(np.floor(points * 2).astype(int) @ [16, 4, 1], minlength=64)
    assert stats.chisquare(counts[counts > 0]).pvalue > 1e-3 and (counts > 0).sum() == 56
    patch = dom.patch("boundary")
    points, _ = placed(patch, 4000)
    normals = patch.normals(points)
    assert np.all(in_corner(points - 1e-6 * normals)) and not np.any(in_corner(points + 1e-6 * normals))
    assert stats.chisquare(
        [(points[:, 0] == 2).sum(), np.isclose(points[:, 0], 1).sum()], [3 * 500, 500], sum_check=False
    )
    points, _ = placed(dom.patch("floor"), 100)
    assert np.all(points[:, 2] == 0) and np.all(dom.shape.on(points, 1e-12, "floor"))


def test_tetrahedra_in_any_order_and_shape_give_the_hull():
    rng = np.random.default_rng(5)
    points = rng.normal(size=(60, 3))
    cells = Delaunay(points).simplices
    cells = np.stack([rng.permutation(cell) for cell in cells])
    hull = ConvexHull(points)
    dom = domain.mesh(meshio.Mesh(points, [("tetra", cells)]))
    assert dom.measure() == pytest.approx(hull.volume) and dom.measure("boundary") == pytest.approx(hull.area)
    inner, _ = placed(dom.patch("interior"), 2000)
    planes = hull.equations
    assert (inner @ planes[:, :3].T + planes[:, 3]).max() < 0
    outer, _ = placed(dom.patch("boundary"), 500)
    heights = outer @ planes[:, :3].T + planes[:, 3]
    assert np.abs(heights.max(axis=1)).max() < 1e-12
    np.testing.assert_allclose(dom.patch("boundary").normals(outer), planes[heights.argmax(axis=1), :3], atol=1e-9)


def plate():
    """The square of side 2 without its upper right quarter, in triangles of Gmsh's kind: points in space."""
    points = np.array([[x, y, 0.0] for x in range(3) for y in range(3)])
    cells = [[3 * x + y, 3 * x + 3 + y, 3 * x + 4 + y] for x, y in ((0, 0), (0, 1), (1, 0))]
    cells += [[3 * x + y, 3 * x + 1 + y, 3 * x + 4 + y] for x, y in ((0, 0), (0, 1), (1, 0))]  # the other way round
    return points, np.array(cells), np.array([[0, 1], [2, 1]])


def test_triangles_in_the_plane_are_two_dimensional():
    points, cells, left = plate()
    sets = {"inlet": [np.zeros(0, int), np.arange(2)], "gmsh:bounding_entities": [np.zeros(0, int), np.arange(2)]}
    dom = domain.mesh(meshio.Mesh(points, [("triangle", cells), ("line", left)], cell_sets=sets), names=("r", "z"))
    assert dom.axes == ("r", "z") and dom.regions == ("interior", "boundary", "inlet")
    assert (dom.measure(), dom.measure("boundary"), dom.measure("inlet")) == pytest.approx((3, 8, 2))
    inner, _ = placed(dom.patch("interior"), 12_000)
    assert np.all((inner > 0) & (inner < 2)) and not np.any(np.all(inner >= 1, axis=1))
    counts = np.bincount(np.floor(inner * 2).astype(int) @ [4, 1], minlength=16)
    assert stats.chisquare(counts[counts > 0]).pvalue > 1e-3 and (counts > 0).sum() == 12
    patch = dom.patch("inlet")
    edge, _ = placed(patch, 100)
    assert np.all(edge[:, 0] == 0) and np.all(patch.normals(edge) == [-1, 0])
    both = dom & domain.rectangle((0, 1), (0, 2), names=("r", "z"))
    assert both.measure() == pytest.approx(2, rel=1e-2)
    quads = domain.mesh(meshio.Mesh(points[:, :2], [("quad", [[0, 3, 4, 1], [4, 5, 2, 1]])]))
    assert quads.measure() == pytest.approx(2) and quads.measure("boundary") == pytest.approx(6)


def test_tags_without_a_name_are_called_by_their_number():
    points, cells, left = plate()
    tags = {"gmsh:physical": [np.ones(len(cells), int), np.array([4, 5])]}
    names = {"boundary": np.array([5, 1]), "air": np.array([1, 2])}
    mesh = meshio.Mesh(points, [("triangle", cells), ("line", left)], cell_data=tags, field_data=names)
    assert domain.mesh(mesh).regions[2:] == ("physical_4", "boundary_group")


def test_solids_combine():
    dom = domain.mesh(trimesh.creation.box((2, 2, 2))) - domain.ball((1, 1, 1), 0.5)
    assert dom.measure() == pytest.approx(8 - np.pi / 48, rel=3e-3)
    points, _ = placed(dom.patch("boundary"), 3000)
    on_box = np.isclose(np.abs(points).max(axis=1), 1, atol=1e-12)
    far = np.linalg.norm(points - 1, axis=1)
    assert np.all(on_box | np.isclose(far, 0.5, atol=1e-12)) and np.all(far > 0.5 - 1e-9)
    assert np.all(np.abs(points).max(axis=1) < 1 + 1e-9) and 0 < np.mean(~on_box) < 0.1


def broken(how):
    faces = TORUS.faces.copy()
    if how == "open":
        faces = faces[3:]
    if how == "turned":
        faces[5] = faces[5][::-1]
    return trimesh.Trimesh(TORUS.vertices, faces, process=False)


def flat():
    return trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 1]], [[0, 1, 2], [0, 2, 1]], process=False)


def of_cells(kind, count):
    return meshio.Mesh(np.random.default_rng(0).random((8, 3)), [(kind, [list(range(count))])])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (lambda: broken("open"), r"not watertight: \d+ of its \d+ edges.*fill_holes"),
        (lambda: broken("turned"), r"not wound consistently: at 3 of its 384 edges.*fix_normals"),
        (flat, "has no volume"),
        (lambda: of_cells("hexahedron", 8), "cells of type hexahedron"),
        (lambda: of_cells("line", 2), r"no cells with a measure; it has 1 of type line"),
        (lambda: of_cells("vertex", 1), r"pn\.domain\.cloud"),
        (lambda: meshio.Mesh(np.full((4, 3), np.nan), [("tetra", [[0, 1, 2, 3]])]), r"point 0 is \(nan"),
        (lambda: meshio.Mesh([[0, 0], [1, 0], [0, 1]], [("triangle", [[0, 1, 2]] * 3)]), "three or more cells"),
        (lambda: trimesh.PointCloud([[0, 0, 0]]), "PointCloud without triangles"),
        (lambda: "nowhere.stl", r"there is no file 'nowhere\.stl'"),
        (lambda: 3, r"takes a path, a trimesh\.Trimesh or a meshio\.Mesh; got int"),
    ],
)
def test_what_is_no_mesh_of_a_solid_is_told(source, told):
    with pytest.raises(DomainError, match=told):
        domain.mesh(source())


def test_files_that_cannot_be_read_are_told(tmp_path, monkeypatch):
    for name in ("bad.stl", "bad.vtk", "bad.msh"):
        (tmp_path / name).write_text("nothing of the kind")
        with pytest.raises(DomainError, match=f"(cannot read '{name}'|{name}.* no)"):
            domain.mesh(tmp_path / name)
    for name, library in (("bad.stl", "trimesh"), ("bad.vtk", "meshio")):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(DomainError, match=rf'{library} is not there: pip install "pinnace\[meshes\]"'):
            domain.mesh(tmp_path / name)
