"""Pictures of domains: which points, which parts, which arrows."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import shapely
import trimesh
from matplotlib.figure import Figure

from pinnace import domain
from pinnace._errors import DomainError

matplotlib.use("agg")

CORNERS = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
HOLES = [[(0.2, 0.2), (0.6, 0.2), (0.4, 0.5)], [(1.2, 0.2), (1.4, 0.8), (1.6, 0.3)]]


@pytest.fixture(autouse=True)
def nothing_left_behind():
    before = dict(plt.rcParams)
    yield
    assert plt.get_fignums() == [] and dict(plt.rcParams) == before


def legend(panel):
    return [words.get_text() for words in panel.get_legend().get_texts()]


def arrows(panel):
    """Feet and directions in the plane."""
    drawn = panel.collections[-1]
    return np.asarray(drawn.get_offsets()), np.stack([drawn.U, drawn.V], axis=1)


def dots(panel, name):
    return np.asarray(panel.collections[legend(panel).index(name)].get_offsets())


def test_a_polygon_with_holes_shows_its_rings_points_and_normals():
    room = shapely.Polygon(CORNERS, HOLES)
    figure, axes = domain.polygon(CORNERS, HOLES).plot()
    assert axes.shape == (1,) and isinstance(figure, Figure) and axes[0].figure is figure
    panel = axes[0]
    assert legend(panel) == ["interior", "boundary", "exterior", "hole_0", "hole_1"]
    assert np.all(shapely.contains_xy(room, *dots(panel, "interior").T)) and len(dots(panel, "interior")) == 400
    for name, ring in (("exterior", room.exterior), ("hole_1", room.interiors[1])):
        assert shapely.distance(ring, shapely.points(dots(panel, name))).max() < 1e-12
    feet, along = arrows(panel)
    assert np.all(shapely.contains_xy(room, *(feet - 1e-3 * along).T))
    assert not np.any(shapely.contains_xy(room, *(feet + 1e-3 * along).T))
    colours = {tuple(one.get_facecolor()[0]) for one in panel.collections[:5]}
    assert len(colours) == 5 and panel.get_aspect() == 1
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("x", "y")
    figure.draw_without_rendering()


def test_each_part_is_shown_once():
    assert legend(domain.polygon(CORNERS).plot()[1][0])[2:] == [f"edge_{k}" for k in range(6)]
    dom = domain.rectangle((0, 2), (0, 1)) - domain.disk((0.5, 0.5), 0.2).tag("pillar")
    dom = dom.tag("inlet", lambda x, y: (x == 0) & (y > 0.5)).tag("core", lambda x, y: x > 1.5, of="interior")
    _, (panel,) = dom.plot(n=100)
    parts = ["left", "right", "bottom", "top", "pillar", "inlet", "core"]
    assert legend(panel) == ["interior", "boundary", *parts]
    inlet = dots(panel, "inlet")
    assert np.all(inlet[:, 0] == 0) and np.all(inlet[:, 1] > 0.5)
    np.testing.assert_allclose(np.hypot(*(dots(panel, "pillar") - 0.5).T), 0.2)
    assert np.all(dots(panel, "core")[:, 0] > 1.5) and len(dots(panel, "interior")) == 100
    chosen, (panel,) = dom.plot("inlet", normals=False)
    assert legend(panel) == ["inlet"]
    chosen.draw_without_rendering()


def test_a_line_has_rows_and_arrows_at_its_ends():
    figure, (panel,) = domain.interval(-1, 1).plot()
    assert [words.get_text() for words in panel.get_yticklabels()] == ["interior", "boundary", "left", "right"]
    feet, along = arrows(panel)
    np.testing.assert_allclose(feet, [[-1, -1], [1, -1]])
    assert along[0, 0] < 0 < along[1, 0] and np.all(along[:, 1] == 0)
    figure.draw_without_rendering()


def test_a_line_with_time_has_time_to_the_right():
    for dom, across in ((domain.interval(-1, 1).time(0, 5), "t"), (domain.interval(-1, 1).vary(k=(0, 5)), "x")):
        figure, (panel,) = dom.plot()
        assert panel.get_xlabel() == across
        feet, along = arrows(panel)
        space = ["t", "x"].index("x") if across == "t" else 0
        np.testing.assert_array_equal(np.sign(along[:, space]), np.sign(feet[:, space]))
        assert np.all(along[:, 1 - space] == 0)
        figure.draw_without_rendering()
    assert legend(domain.interval(-1, 1).time(0, 5).plot()[1][0])[:4] == ["interior", "boundary", "initial", "final"]


def test_time_and_parameters_are_left_out_of_the_plane():
    _, (panel,) = domain.disk().time(0, 1).vary(k=(0, 1)).plot()
    assert legend(panel) == ["interior", "boundary"] and (panel.get_xlabel(), panel.get_ylabel()) == ("x", "y")
    names = [words.get_text() for words in domain.time(0, 1).plot()[1][0].get_yticklabels()]
    assert names == ["interior", "initial", "final"]


def test_space_is_drawn_in_three_dimensions_and_of_more_the_first_three():
    figure, (panel,) = domain.mesh(trimesh.creation.torus(1, 0.4, major_sections=12, minor_sections=6)).plot(n=50)
    assert panel.name == "3d" and legend(panel) == ["interior", "boundary"]
    assert len(panel.collections) == 3 and panel.get_zlabel() == "z"
    figure.draw_without_rendering()
    _, (panel,) = domain.ball((0, 0, 0, 0), 1).plot(n=40)
    assert panel.name == "3d" and (panel.get_xlabel(), panel.get_zlabel()) == ("$x_{1}$", "$x_{3}$")


def test_clouds_show_their_points():
    angle = np.linspace(0, 6, 20)
    edge = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    _, (panel,) = domain.cloud(0.5 * edge, edge, edge, sensors=[[0, 0]]).plot()
    assert legend(panel) == ["interior", "boundary", "sensors"]
    np.testing.assert_array_equal(dots(panel, "boundary"), edge)
    feet, along = arrows(panel)
    np.testing.assert_allclose(along / np.linalg.norm(along, axis=1, keepdims=True), feet, atol=1e-12)
    assert legend(domain.cloud(edge).plot()[1][0]) == ["interior"]


def test_given_axes_are_drawn_into():
    panel = Figure().subplots()
    assert domain.disk().plot(ax=panel)[1][0] is panel
    with pytest.raises(DomainError, match='projection="3d"'):
        domain.box((0, 1), (0, 1), (0, 1)).plot(ax=panel)
    solid = Figure().add_subplot(projection="3d")
    assert domain.box((0, 1), (0, 1), (0, 1)).plot(axes=[solid])[1][0] is solid
    with pytest.raises(DomainError, match="drawn in 2 dimensions; got 3d axes"):
        domain.disk().plot(ax=solid)


def test_unknown_regions_are_told():
    with pytest.raises(DomainError, match=r'has no region .lef.; .*Did you mean "left"'):
        domain.rectangle((0, 1), (0, 1)).plot(["lef"])
    with pytest.raises(DomainError, match="shows nothing"):
        domain.disk().plot([])
