"""Residual maps: magnitudes, names, points."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import plot

matplotlib.use("agg")


@pytest.fixture(scope="module")
def problem():
    dom = pn.domain.interval(-1, 1).time(0, 1)
    x, t = dom.variable("interior", 16)
    xb, tb = dom.variable("boundary", 8)
    x0, t0 = dom.variable("initial", 8)
    p = pn.parameter(2.0, "p").optimizer(optax.sgd(0.0))
    pde, bc, ic = p * x * t, p * xb + tb, p * x0
    losses = [pde.mse.named("pde"), bc.mse.named("b$c"), ic.mse, pn.np.stack([pde, pde]).mse.named("two")]
    return pn.core(losses), dom, (x, t, xb, tb, x0, t0), losses


@pytest.fixture(autouse=True)
def nothing_left_behind():
    yield
    assert plt.get_fignums() == []


def test_a_loss_shows_the_size_of_its_residual_under_its_name(problem):
    crux, dom, (x, t, *_), (pde, *_) = problem
    figure, axes = plot.residual(crux, 3 * pde.args[0].args[0], dom, n=6)
    assert axes[0].get_title() == r"$|3 \, (p \, x \, t)|$"
    figure, axes = plot.residual(crux, pde, n=6, points=True)
    mesh, dots = axes[0].collections
    values = np.asarray(mesh.get_array()).reshape(6, 6)
    size = np.abs(2 * np.linspace(-1, 1, 6)[:, None] * np.linspace(0, 1, 6))
    np.testing.assert_allclose(values, np.maximum(size, 2e-6), rtol=1e-5)
    assert mesh.norm.vmin == pytest.approx(2e-6) and mesh.norm.vmax == pytest.approx(2)
    assert axes[0].get_title() == "|residual| of pde" and axes[0].get_xlabel() == "t"
    drawn = np.asarray(dots.get_offsets())
    np.testing.assert_allclose(drawn, np.stack([crux.eval(t), crux.eval(x)], axis=1))
    figure.draw_without_rendering()


def test_components_are_taken_together(problem):
    crux, _, _, (*_, two) = problem
    _, axes = plot.residual(crux, two, n=3)
    assert np.asarray(axes[0].collections[0].get_array()).max() == pytest.approx(2 * np.sqrt(2))


def test_slices_show_the_points_nearby(problem):
    crux, dom, (_x, t, *_), (pde, *_) = problem
    figure, axes = plot.residual(crux, pde, dom, slices={t: [0.25, 1.0]}, points=True, n=5)
    times = np.asarray(crux.eval(t))
    for panel, time in zip(axes, (0.25, 1.0), strict=True):
        curve, marks = panel.lines
        np.testing.assert_allclose(curve.get_ydata(), np.maximum(np.abs(2 * curve.get_xdata() * time), 2e-6), rtol=1e-5)
        assert len(marks.get_xdata()) == np.sum(np.abs(times - time) <= 0.05 * np.ptp(times))
        assert panel.get_yscale() == "log"
    figure.draw_without_rendering()


def test_boundary_and_initial_residuals_are_drawn_at_their_points(problem):
    crux, _, (_, _, _xb, _tb, x0, _), (_, bc, ic, _) = problem
    figure, (panel,) = plot.residual(crux, bc)
    assert panel.get_ylabel() == r"|residual| of b\$c" and panel.get_xlabel() == "t"
    assert [words.get_text() for words in panel.get_legend().get_texts()] == ["$x = -1$", "$x = 1$"]
    left, right = panel.lines
    np.testing.assert_allclose(left.get_ydata(), np.abs(-2 + left.get_xdata()), rtol=1e-5)
    np.testing.assert_allclose(right.get_ydata(), 2 + right.get_xdata(), rtol=1e-5)
    figure.draw_without_rendering()
    _, (panel,) = plot.residual(crux, ic)
    assert panel.get_xlabel() == "x" and panel.get_ylabel() == r"$|p \, x|$"
    np.testing.assert_allclose(panel.lines[0].get_xdata(), crux.eval(x0))


def test_a_boundary_in_the_plane_is_coloured():
    xb, yb = pn.domain.disk().variable("boundary", 16)
    p = pn.parameter(2.0, "p").optimizer(optax.sgd(0.0))
    crux = pn.core([(p * xb * yb).mse])
    figure, (panel,) = plot.residual(crux, (p * xb * yb).named("flux"))
    (dots,) = panel.collections
    np.testing.assert_allclose(np.asarray(dots.get_offsets()), np.stack([crux.eval(xb), crux.eval(yb)], axis=1))
    values = np.abs(2 * crux.eval(xb) * crux.eval(yb))
    np.testing.assert_allclose(dots.get_array(), np.maximum(values, values.max() / 1e6), rtol=1e-5)
    assert panel.get_title() == "|residual| of flux" and panel.get_aspect() == 1
    figure.draw_without_rendering()


def test_residuals_that_are_zero_or_not_finite_are_drawn(problem):
    crux, dom, (x, t, *_), _ = problem
    for nothing in (0 * x * t, x * t / 0, pn.np.log(x * t - 2)):
        for where in (None, {t: 0.5}):
            plot.residual(crux, nothing, dom, slices=where, n=4)[0].draw_without_rendering()


def test_a_number_is_no_residual(problem):
    crux, _, _, (pde, *_) = problem
    with pytest.raises(pn.PinnaceError, match="is one number, not a residual"):
        plot.residual(crux, 2 * pde)
