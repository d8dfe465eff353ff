"""Figures of fields: what they show is what was computed, and nothing else changes."""

import equinox as eqx
import jax
import matplotlib
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import plot

matplotlib.use("agg")


@pytest.fixture(scope="module")
def problem():
    x, t = pn.domain.interval(-1, 1).time(0, 2).variable("interior", 32)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 8, 1, jax.numpy.tanh, key=jax.random.key(0))).optimizer(optax.sgd(1e-3))
    u = net(x, t)
    return pn.core([u.d(t).mse]), u, x, t


@pytest.fixture(autouse=True)
def closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def shown(panel):
    """The values of the image in a panel, as [across, up]."""
    mesh = panel.collections[0]
    rows, columns, _ = mesh.get_coordinates().shape
    return np.ma.filled(mesh.get_array().reshape(rows, columns).T, np.nan)


def test_the_field_and_the_reference_are_shown_on_equal_scales(problem):
    crux, u, x, t = problem
    ts, xs = np.linspace(0, 2, 7), np.linspace(-1, 1, 9)
    figure, axes = plot.field(crux, u, {t: ts, x: xs}, lambda t, x: 3 * x * (1 + t))
    found = np.array([[crux.eval(u, {x: b, t: a}) for b in xs] for a in ts])
    exact = np.array([[3 * b * (1 + a) for b in xs] for a in ts])
    np.testing.assert_allclose(shown(axes[0]), found, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(shown(axes[1]), exact)
    error = np.abs(found - exact)
    np.testing.assert_allclose(shown(axes[2]), np.maximum(error, error.max() / 1e4), rtol=1e-4, atol=1e-6)
    assert axes[0].collections[0].get_clim() == axes[1].collections[0].get_clim() == (-9, 9)
    assert axes[0].get_xlabel() == "t" and axes[0].get_ylabel() == "x"
    assert len(figure.axes) == 5  # three panels, two colour bars
    figure.canvas.draw()


def test_without_a_reference_there_is_one_panel(problem):
    crux, u, x, t = problem
    figure, axes = plot.field(crux, u, {x: np.linspace(-1, 1, 4), t: np.linspace(0, 2, 5)}, label="velocity")
    assert len(axes) == 1 and axes[0].get_title() == "velocity"
    figure.canvas.draw()


def test_one_coordinate_gives_curves():
    x = pn.domain.interval(-1, 1).variable("interior", 16)
    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, key=jax.random.key(0))).optimizer(optax.sgd(1.0))
    crux = pn.core([net(x).mse])
    xs = np.linspace(-1, 1, 11)
    figure, axes = plot.field(crux, net(x), {x: xs}, xs**2)
    exact, found = axes[0].lines
    np.testing.assert_allclose(exact.get_ydata(), xs**2)
    np.testing.assert_allclose(found.get_ydata(), crux.eval(net(x), {x: xs}), rtol=1e-5)
    error = np.abs(found.get_ydata() - xs**2)
    np.testing.assert_allclose(axes[1].lines[0].get_ydata(), np.maximum(error, error.max() / 1e4))
    figure.canvas.draw()


def test_points_outside_of_the_domain_are_white():
    x, y = pn.domain.disk().variable("interior", 16)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 4, 1, key=jax.random.key(0))).optimizer(optax.sgd(1.0))
    crux = pn.core([net(x, y).mse])
    side = np.linspace(-1, 1, 21)
    _, axes = plot.field(crux, net(x, y), {y: side, x: side}, np.zeros((21, 21)))
    up, across = np.meshgrid(side, side, indexing="ij")
    for panel in axes:
        assert np.array_equal(np.isnan(shown(panel)), np.hypot(up, across) > 1 + 1e-6)


def test_an_exact_field_has_an_error_that_can_be_drawn(problem):
    crux, u, x, t = problem
    points = {t: np.linspace(0, 2, 5), x: np.linspace(-1, 1, 6)}
    exact = crux.eval(u, {x: points[x], t: points[t][:, None]})
    figure, _ = plot.field(crux, u, points, exact)
    figure.canvas.draw()
    figure, _ = plot.field(crux, 0 * u, points, np.zeros((5, 6)))
    figure.canvas.draw()


def test_it_draws_into_given_axes_and_changes_no_settings(problem):
    import matplotlib.pyplot as plt

    crux, u, x, t = problem
    before = dict(matplotlib.rcParams)
    mine, panels = plt.subplots(1, 3)
    figure, axes = plot.field(crux, u, {t: np.ones(2), x: np.arange(2.0)}, np.ones((2, 2)), axes=panels)
    assert figure is mine and list(axes) == list(panels)
    assert dict(matplotlib.rcParams) == before


def test_mistakes_are_told(problem):
    crux, u, x, t = problem
    xs = np.linspace(-1, 1, 4)
    with pytest.raises(pn.PinnaceError, match="one or two coordinates"):
        plot.field(crux, u, {x: np.ones((2, 2)), t: xs})
    with pytest.raises(pn.PinnaceError, match=r"shape \(3,\) on a grid of \(4, 4\)"):
        plot.field(crux, u, {x: xs, t: xs}, np.ones(3))
    with pytest.raises(pn.PinnaceError, match="3 panels; got axes for 1"):
        plot.field(crux, u, {x: xs, t: xs}, np.ones((4, 4)), axes=matplotlib.figure.Figure().subplots())
    with pytest.raises(pn.PinnaceError, match="has components"):
        plot.field(crux, pn.np.stack([u, u]), {x: xs, t: xs})
    with pytest.raises(pn.PinnaceError, match="depends on t"):
        plot.field(crux, u, {x: xs})
