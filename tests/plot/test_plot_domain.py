"""Fields over domains: the points of the domain, the slices asked for, the labels of the names."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import plot

matplotlib.use("agg")


def crux_on(*symbols):
    """A problem that uses these points, and the number 2 as what is trained."""
    p = pn.parameter(2.0, "p").optimizer(optax.sgd(0.0))
    return pn.core([(p * symbols[0]).mse]), p


@pytest.fixture(scope="module")
def line():
    dom = pn.domain.interval(-1, 1).time(0, 2)
    x, t = dom.variable("interior", 32)
    crux, p = crux_on(x)
    return crux, dom, x, t, p


@pytest.fixture(scope="module")
def square():
    dom = pn.domain.rectangle((0, 3), (0, 1), names=("xi", "y")).time(0, 2)
    x, y, t = dom.variable("interior", 32)
    crux, p = crux_on(x)
    return crux, dom, x, y, t, p


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """No test leaves a figure in pyplot, or another setting."""
    before = dict(matplotlib.rcParams)
    yield
    assert plt.get_fignums() == [] and dict(matplotlib.rcParams) == before


def shown(panel):
    """The values of the image in a panel, as [across, up], and its coordinates."""
    mesh = panel.collections[0]
    where = mesh.get_coordinates()
    return np.ma.filled(mesh.get_array().reshape(where.shape[:2]).T, np.nan), where[0, :, 0], where[:, 0, 1]


def test_space_and_time_is_an_image_with_time_to_the_right(line):
    crux, dom, x, t, p = line
    figure, axes = plot.field(crux, p * x + t, dom, lambda x, t: x * 0 + t, n=9)
    values, across, up = shown(axes[0])
    np.testing.assert_allclose(across, np.linspace(0, 2, 9))
    np.testing.assert_allclose(up, np.linspace(-1, 1, 9))
    np.testing.assert_allclose(values, across[:, None] + 2 * up, atol=1e-6)
    np.testing.assert_allclose(shown(axes[1])[0], across[:, None] + 0 * up)
    np.testing.assert_allclose(shown(axes[2])[0], np.maximum(np.abs(2 * up), 2e-4) + 0 * across[:, None], rtol=1e-5)
    assert [panel.get_xlabel() for panel in axes] == ["t"] * 3 and axes[0].get_ylabel() == "x"
    assert [panel.get_title() for panel in axes] == [
        r"$p \, x + t$, network", r"$p \, x + t$, exact", r"$p \, x + t$, absolute error",
    ]  # fmt: skip
    figure.draw_without_rendering()


def test_without_where_the_domain_of_the_expression_is_drawn(line):
    crux, _, x, _t, p = line
    _, axes = plot.field(crux, (p * x).named("slope"), n=5)
    (curve,) = axes[0].lines  # it does not depend on time
    np.testing.assert_allclose(curve.get_xdata(), np.linspace(-1, 1, 5))
    np.testing.assert_allclose(curve.get_ydata(), 2 * np.linspace(-1, 1, 5))
    assert axes[0].get_xlabel() == "x" and axes[0].get_ylabel() == "slope"


def test_slices_of_a_line_are_columns_of_curves_and_errors(line):
    crux, dom, x, t, p = line
    figure, axes = plot.field(crux, p * x * t, dom, x * t, slices={"t": [0, 0.5, 2]}, n=5)
    assert axes.shape == (2, 3)
    assert [panel.get_title() for panel in axes[0]] == ["$t = 0$", "$t = 0.5$", "$t = 2$"]
    xs = np.linspace(-1, 1, 5)
    for panel, time in zip(axes[0], (0, 0.5, 2), strict=True):
        exact, found = panel.lines
        np.testing.assert_allclose(exact.get_ydata(), xs * time, atol=1e-6)
        np.testing.assert_allclose(found.get_ydata(), 2 * xs * time, atol=1e-6)
    assert axes[1, 2].get_yscale() == "log" and axes[1, 0].get_ylabel() == "absolute error"
    assert len({panel.get_ylim() for panel in axes[0]}) == 1
    figure.draw_without_rendering()


def test_images_of_space_hold_time_at_three_values(square):
    crux, dom, x, y, t, p = square
    figure, axes = plot.field(crux, p * x * y - t, dom, n=5)
    assert axes.shape == (1, 3)
    for panel, time in zip(axes[0], (0, 1, 2), strict=True):
        values, across, up = shown(panel)
        np.testing.assert_allclose(values, 2 * across[:, None] * up - time, atol=1e-5)
        assert panel.get_title().endswith(f"at $t = {time}$") and panel.get_xlabel() == r"$\xi$"
        assert panel.get_aspect() == 1 and panel.collections[0].get_clim() == axes[0, 0].collections[0].get_clim()
    assert len(figure.axes) == 4  # one bar of colours for all
    figure.draw_without_rendering()


def test_one_slice_is_named_beside_the_expression(square):
    crux, dom, x, y, t, p = square
    _, axes = plot.field(crux, p * x * y - t, dom, lambda x, y, t: x * y - t, slices={t: 1.5}, n=5, label="v")
    assert [panel.get_title() for panel in axes] == [
        "v at $t = 1.5$, network", "v at $t = 1.5$, exact", "v at $t = 1.5$, absolute error",
    ]  # fmt: skip
    values, across, up = shown(axes[1])
    np.testing.assert_allclose(values, across[:, None] * up - 1.5)


def test_four_dimensions_are_cut_down_to_two():
    dom = pn.domain.box((0, 1), (0, 1), (0, 4)).time(0, 2)
    q = dom.variable("interior", 16)
    crux, p = crux_on(*q)
    u = p * q[0] + q[1] + q[2] + q[3]
    _, axes = plot.field(crux, u, dom, n=3)
    values, across, up = shown(axes[0, 1])
    np.testing.assert_allclose(values, 2 * across[:, None] + up + 2 + 1)
    _, axes = plot.field(crux, u, dom, slices={"t": 0, "z": [1, 3]}, n=3)
    np.testing.assert_allclose(shown(axes[0, 1])[0], 2 * across[:, None] + up + 3)
    _, axes = plot.field(crux, u, {q[0]: np.arange(2.0), q[2]: np.arange(3.0), q[1]: 0.5}, slices={q[3]: 1})
    values, across, up = shown(axes[0])
    np.testing.assert_allclose(values, 2 * across[:, None] + up + 1.5)


def test_the_coordinates_are_those_of_the_points_that_the_expression_lives_on(line):
    crux, dom, x, t, p = line
    xb, tb = dom.variable("boundary", 8)
    _, axes = plot.field(crux, p * xb * tb, dom, x * t, n=5)
    assert shown(axes[0])[0].max() == 4 and shown(axes[1])[0].max() == 2


def test_a_smooth_boundary_hides_what_is_beyond():
    dom = pn.domain.disk((1, 0), 2)
    x, y = dom.variable("interior", 16)
    crux, p = crux_on(x)
    figure, axes = plot.field(crux, p * x + 0 * y, dom, n=41)
    mesh, cover, outline = axes[0].collections
    assert cover.get_zorder() > mesh.get_zorder() and cover.get_facecolor()[0].tolist() == [1, 1, 1, 1]
    corners = np.concatenate([path.vertices for path in outline.get_paths()])
    np.testing.assert_allclose(np.hypot(corners[:, 0] - 1, corners[:, 1]), 2, atol=0.01)
    assert mesh.get_clim() == (-6, 6)  # twice x from -1 to 3; colours do not see what is beyond
    figure.draw_without_rendering()


def test_values_that_are_not_finite_are_told(line):
    crux, dom, x, t, p = line
    with np.errstate(all="ignore"):
        for exact in (None, lambda x, t: x + np.nan, lambda x, t: x / (x - x)):
            for where in (None, {t: 1.0}):
                figure, axes = plot.field(crux, pn.np.log(p * x + 0 * t), dom, exact, slices=where, n=6)
                told = [words.get_text() for words in axes[0].texts]
                assert told == ["3 values not finite" if where else "18 values not finite"]
                figure.draw_without_rendering()
    figure, _ = plot.field(crux, (x + t) / 0, dom, n=4)
    figure.draw_without_rendering()


def test_one_panel_fits_into_given_axes(line):
    crux, dom, x, t, _p = line
    mine = matplotlib.figure.Figure().subplots()
    figure, axes = plot.field(crux, x + t, dom, ax=mine, n=4)
    assert figure is mine.figure and list(axes) == [mine]
    with pytest.raises(pn.PinnaceError, match="ax= and axes= are the same"):
        plot.field(crux, x + t, dom, ax=mine, axes=mine)


def test_names_that_mathtext_cannot_set_are_written_as_text(line):
    crux, dom, x, t, p = line
    for name in ("50 & $up$", r"\frac{", "a_b", "<i>"):
        figure, axes = plot.field(crux, (p * x + t).named(name), dom, n=4)
        assert axes[0].get_title() == name.replace("$", r"\$")
        figure.draw_without_rendering()
    long = sum((p * x**k for k in range(9)), t)
    assert plot.field(crux, long, dom, n=4)[1][0].get_title() == ""


def test_what_does_not_fit_is_told(line):
    crux, dom, x, t, p = line
    other = pn.domain.disk()
    with pytest.raises(pn.PinnaceError, match='have no coordinate y; they have "x", "t"'):
        plot.field(crux, x + t, other)
    with pytest.raises(pn.PinnaceError, match="have no coordinate z"):
        plot.field(crux, x + t, dom, slices={"z": 0})
    with pytest.raises(pn.PinnaceError, match="`p` is one number, the same at all points"):
        plot.field(crux, p, dom)
    with pytest.raises(pn.PinnaceError, match="lives on no points: say where"):
        plot.field(crux, p)
    with pytest.raises(pn.PinnaceError, match="leave one coordinate out of slices"):
        plot.field(crux, x + t, dom, slices={x: 0, t: 0})
    with pytest.raises(pn.PinnaceError, match="give a function or an expression"):
        plot.field(crux, x + t, dom, np.ones((129, 129)))
    with pytest.raises(pn.PinnaceError, match="2 panels; got axes for 1"):
        plot.field(crux, x + t, dom, slices={t: [0, 1]}, ax=matplotlib.figure.Figure().subplots())
