"""Films: every frame shows its own values, on scales that stay."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest
from PIL import Image

import pinnace as pn
from pinnace import plot

matplotlib.use("agg")


@pytest.fixture(scope="module")
def problem():
    dom = pn.domain.rectangle((0, 1), (0, 2)).time(0, 3)
    x, y, t = dom.variable("interior", 16)
    p = pn.parameter(2.0, "p").optimizer(optax.sgd(0.0))
    return pn.core([(p * x).mse]), dom, x, y, t, p * x


@pytest.fixture(autouse=True)
def nothing_left_behind():
    yield
    assert plt.get_fignums() == []


def test_a_gif_has_all_frames(problem, tmp_path):
    crux, dom, x, y, t, u = problem
    film = plot.animate(crux, u * t, dom, x * t, over=t, slices={y: 1}, frames=3, n=5, label="v")
    _figure, (panel,) = film
    exact, found = panel.lines
    limits = panel.get_ylim()
    assert panel.get_title() == "$t = 0.00$" and panel.get_ylabel() == "v" and np.all(found.get_ydata() == 0)
    film.save(tmp_path / "v.gif", dpi=30)
    with Image.open(tmp_path / "v.gif") as image:
        assert image.n_frames == 3
    assert panel.get_title() == "$t = 3.00$" and panel.get_ylim() == limits and limits[1] > 6
    np.testing.assert_allclose(found.get_ydata(), 6 * np.linspace(0, 1, 5))
    np.testing.assert_allclose(exact.get_ydata(), 3 * np.linspace(0, 1, 5))


def test_images_keep_their_colours(problem):
    crux, dom, _x, y, t, u = problem
    film = plot.animate(crux, u * t - y, dom, lambda x, y, t: x * t - y, over="t", frames=2, n=4)
    _, panels = film
    mesh = panels[0].collections[0]
    film.draw(1)
    np.testing.assert_allclose(
        np.asarray(mesh.get_array()).reshape(4, 4).T,
        6 * np.linspace(0, 1, 4)[:, None] - np.linspace(0, 2, 4),
        atol=1e-5,
    )
    assert mesh.get_clim() == (-6, 6) and panels[0].get_title().endswith("at $t = 3.00$, network")
    assert "<img" in film._repr_html_() and len(panels) == 3


def test_points_may_be_given(problem):
    crux, _dom, x, _y, t, u = problem
    ax = matplotlib.figure.Figure().subplots()
    film = plot.animate(crux, u + t, {x: np.arange(3.0), t: np.array([0.0, 2.0, 7.0])}, over=t, ax=ax)
    film.draw(2)
    assert film[1][0] is ax
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 2 * np.arange(3) + 7)


def test_what_cannot_be_a_film_is_told(problem, tmp_path, monkeypatch):
    crux, dom, x, y, t, u = problem
    with pytest.raises(pn.PinnaceError, match="over=z is no coordinate"):
        plot.animate(crux, u, dom, over="z")
    with pytest.raises(pn.PinnaceError, match="over=t is none of the coordinates"):
        plot.animate(crux, u, {x: np.arange(3.0)}, over=t)
    with pytest.raises(pn.PinnaceError, match=r"at one value: slices=\{y"):
        plot.animate(crux, u, dom, over=t, slices={y: [0, 1]})
    film = plot.animate(crux, u * t, dom, over=t, frames=2, n=3)
    monkeypatch.setattr("matplotlib.animation.writers.is_available", lambda name: False)
    with pytest.raises(pn.PinnaceError, match="takes ffmpeg"):
        film.save(tmp_path / "u.mp4")
