"""Point sets as figures: which points, which panel, which arrows."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import plot

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def nothing_left_behind():
    yield
    assert plt.get_fignums() == []


def legend(panel):
    return [words.get_text() for words in panel.get_legend().get_texts()]


def test_a_shape_has_its_outline_points_and_normals():
    dom = pn.domain.disk((1, 2), 3)
    figure, (panel,) = plot.points(dom, n=64)
    inside, edge, _outline, arrows = panel.collections
    assert legend(panel) == ["interior, 64 points", "boundary, 16 points"]
    assert np.all(np.hypot(*(np.asarray(inside.get_offsets()) - (1, 2)).T) < 3)
    np.testing.assert_allclose(np.hypot(*(np.asarray(edge.get_offsets()) - (1, 2)).T), 3, rtol=1e-5)
    feet, along = np.asarray(arrows.get_offsets()), np.stack([arrows.U, arrows.V], axis=1)
    away = (feet - (1, 2)) / 3
    np.testing.assert_allclose(along / np.linalg.norm(along, axis=1, keepdims=True), away, atol=1e-5)
    tips = feet + along
    low, high = np.array(panel.get_xlim() + panel.get_ylim()).reshape(2, 2).T
    assert np.all((low <= tips) & (tips <= high))  # none is cut off
    assert panel.get_aspect() == 1 and (panel.get_xlabel(), panel.get_ylabel()) == ("x", "y")
    assert len(plot.points(dom, normals=False)[1][0].collections) == 3
    figure.draw_without_rendering()


def test_time_is_to_the_right():
    dom = pn.domain.interval(0, 1).time(5, 7)
    figure, (panel,) = plot.points(dom)
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("t", "x")
    assert [name.split(",")[0] for name in legend(panel)] == ["interior", "boundary", "initial", "final"]
    initial = np.asarray(panel.collections[2].get_offsets())
    assert np.all(initial[:, 0] == 5) and np.ptp(initial[:, 1]) > 0.5
    figure.draw_without_rendering()


def test_one_coordinate_is_a_row_for_each_region():
    figure, (panel,) = plot.points(pn.domain.interval(0, 1))
    assert [words.get_text() for words in panel.get_yticklabels()] == ["interior, 256 points", "boundary, 2 points"]
    np.testing.assert_array_equal(np.sort(panel.lines[1].get_xdata()), [0, 1])
    figure.draw_without_rendering()


def test_a_crux_shows_its_points_as_they_are():
    dom = pn.domain.rectangle((0, 1), (0, 1))
    x, y = dom.variable("interior", 16, resample=1)
    seen, value = pn.domain.data(x=[0.25], seen=[1.0])
    xs, ys, _ = pn.domain.data(y=[0.5], x=[0.75], temperature=[3.0])
    p = pn.parameter(1.0, "p").optimizer(optax.sgd(0.0))
    crux = pn.core([(p * x * y).mse, (p * seen - value).mse, (p * xs - ys).mse], key=3)
    figure, panels = plot.points(crux)
    drawn = np.asarray(panels[0].collections[0].get_offsets())
    np.testing.assert_array_equal(drawn, np.stack([crux.eval(x), crux.eval(y)], axis=1))
    assert legend(panels[0]) == ["interior, 16 points", "the data, 1 point"]
    np.testing.assert_array_equal(panels[0].collections[1].get_offsets(), [[0.75, 0.5]])
    assert (panels[1].get_xlabel(), panels[1].get_ylabel()) == ("x", r"$\mathrm{seen}$")
    assert crux.points == (x.points, seen.points, xs.points)
    figure.draw_without_rendering()


def test_three_coordinates_are_drawn_in_space_or_two_of_them():
    dom = pn.domain.rectangle((0, 1), (0, 1)).time(0, 1)
    figure, (panel,) = plot.points(dom)
    assert panel.name == "3d" and panel.get_zlabel() == "t"
    figure.draw_without_rendering()
    x, y, t = dom.variable("interior", 8)
    _, (panel,) = plot.points([(x, y, t)], over=[y, "x"])
    assert panel.name == "rectilinear" and (panel.get_xlabel(), panel.get_ylabel()) == ("y", "x")
    mine = matplotlib.figure.Figure().subplots()
    assert plot.points(x, over="xt", ax=mine)[1][0] is mine
    with pytest.raises(pn.PinnaceError, match='projection="3d"'):
        plot.points(dom, ax=mine)
    with pytest.raises(pn.PinnaceError, match="over= takes one, two or three"):
        plot.points(dom, over=["x", "z"])


def test_anything_else_is_told():
    for wrong in (3, [], "disk", [pn.parameter(1.0, "p")]):
        with pytest.raises(pn.PinnaceError, match=r"plot\.points takes a domain"):
            plot.points(wrong)
