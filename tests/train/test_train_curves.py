"""Histories as curves: whatever was logged can be drawn."""

import builtins
from itertools import pairwise

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

import pinnace as pn
from pinnace.train import History, Run
from pinnace.train.curves import MOST, thinned

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def nothing_left_behind():
    before = dict(matplotlib.rcParams)
    yield
    assert plt.get_fignums() == [] and dict(matplotlib.rcParams) == before


def run_of(every=1, losses=("total",), weights=(), **columns):
    history = History()
    for name, values in columns.items():
        history.append(name, every * np.arange(len(values)), np.asarray(values))
    return Run(history, 0, losses=losses, weights=weights)


def legend(panel):
    return [words.get_text() for words in panel.get_legend().get_texts()]


def test_a_run_without_steps_says_so():
    figure, (panel,) = Run(History(), 0, losses=("total", "pde")).plot()
    assert [words.get_text() for words in panel.texts] == ["no step was logged"]
    figure.draw_without_rendering()


def test_losses_that_are_not_finite_leave_gaps_and_are_told():
    pde, bc = np.ones(50), np.geomspace(1, 1e-3, 50)
    pde[30:], bc[40] = np.nan, np.inf
    figure, (panel,) = run_of(losses=("total", "bc"), total=pde, bc=bc).plot()
    assert np.isnan(panel.lines[1].get_ydata()[40]) and panel.get_yscale() == "log"
    assert [words.get_text() for words in panel.texts] == ["not finite at step 30"]
    figure.draw_without_rendering()
    figure, (panel,) = run_of(total=np.full(9, np.nan)).plot()
    assert "no value is finite" in [words.get_text() for words in panel.texts]
    figure.draw_without_rendering()


def test_many_losses_stand_beside_the_panel_and_differ():
    names = [f"_loss{k} $" for k in range(30)]
    figure, (panel,) = run_of(losses=names, **{name: np.geomspace(1, 2 + k, 9) for k, name in enumerate(names)}).plot()
    assert len({(line.get_color(), line.get_linestyle()) for line in panel.lines}) == 30
    assert len(legend(panel)) == 30 and legend(panel)[0].endswith(r"_loss0 \$")
    figure.draw_without_rendering()
    box = panel.get_legend().get_window_extent()
    assert box.x0 > panel.get_window_extent().x1 and box.x1 <= figure.bbox.x1 and box.y0 >= 0


def test_arrays_are_components_or_a_range():
    small, large = np.arange(24.0).reshape(6, 2, 2) + 1, np.random.default_rng(0).normal(size=(6, 20))
    large[3, 5] = np.nan
    figure, panels = run_of(total=np.ones(6), small=small, large=large).plot()
    assert legend(panels[1]) == ["small[0, 0]", "small[0, 1]", "small[1, 0]", "small[1, 1]"]
    np.testing.assert_array_equal(panels[1].lines[2].get_ydata(), small[:, 1, 0])
    assert legend(panels[2]) == ["large, median and range of 20"]
    np.testing.assert_allclose(panels[2].lines[0].get_ydata(), np.nanmedian(large, axis=1))
    figure.draw_without_rendering()


def test_few_trackers_have_panels_of_their_own():
    one = np.ones(3)
    _, panels = run_of(total=one, error=one, nu=one, **{"lr(u)": one}).plot()
    assert [panel.get_ylabel() for panel in panels] == ["loss", "tracked", "tracked", "rate"]
    _, panels = run_of(total=one, **{f"tracker {k}": one for k in range(7)}).plot()
    assert [panel.get_ylabel() for panel in panels] == ["loss", "tracked"] and len(legend(panels[1])) == 7


def test_weights_are_drawn_with_what_they_make_of_the_losses():
    weight, pde = np.array([1.0, 2, 4]), np.array([8.0, 4, 2])
    run = run_of(losses=("total", "pde"), weights=("w(pde)",), total=pde, pde=pde, **{"w(pde)": weight})
    figure, (above, below) = run.plot_weights()
    np.testing.assert_array_equal(above.lines[0].get_ydata(), weight)
    np.testing.assert_array_equal(below.lines[0].get_ydata(), [8, 8, 8])
    assert (above.get_ylabel(), below.get_ylabel()) == ("weight", "weighted loss")
    assert above.lines[0].get_color() == below.lines[0].get_color() == run.plot()[1][0].lines[1].get_color()
    figure.draw_without_rendering()
    with pytest.raises(pn.PinnaceError, match=r"no weights were logged.*\.tracker\(\)"):
        run_of(total=pde).plot_weights()


def test_given_axes_take_as_many_panels_as_there_are():
    one = np.ones(3)
    run = run_of(total=one, weights=("w(a)",), **{"w(a)": one})
    mine = matplotlib.figure.Figure().subplots(2, 2)
    for draw in (run.plot, run.plot_weights):
        figure, axes = draw(ax=mine[0, 0])
        assert figure is mine[0, 0].figure and list(axes) == [mine[0, 0]]
    assert len(run.plot(mine)[1]) == 2


def test_of_very_many_values_the_extremes_are_drawn():
    values = np.random.default_rng(0).normal(size=100_000)
    values[123], values[77_777], values[5_000:9_000] = 40, -40, np.nan
    kept = thinned(values)
    assert {0, 123, 77_777, 99_999} <= {*kept} and len(kept) <= 4 * MOST and np.all(np.diff(kept) > 0)
    assert np.isnan(values[kept]).any()
    assert len(thinned(np.zeros(100_000))) <= 4 * MOST
    edges = np.linspace(0, 100_000, MOST // 2 + 1).astype(int)
    for low, high in pairwise(edges[:40]):
        part = values[kept[(kept >= low) & (kept < high)]]
        assert part.min() == values[low:high].min() and part.max() == values[low:high].max()


def test_exact_zeros_and_negative_values_are_drawn():
    figure, (panel,) = run_of(total=np.array([1, 0, 1e-3, 0, 1e-6])).plot()
    assert panel.get_yscale() == "log" and panel.get_ylim()[0] == pytest.approx(5e-7)
    figure.draw_without_rendering()
    assert run_of(total=np.array([1e3, -1.0])).plot()[1][0].get_yscale() == "linear"


def test_without_matplotlib_it_is_told_what_to_install(monkeypatch):
    found = builtins.__import__

    def missing(name, *args, **settings):
        if name.split(".")[0] == "matplotlib":
            raise ImportError("No module named 'matplotlib'")
        return found(name, *args, **settings)

    run = run_of(total=np.ones(3))
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(pn.PinnaceError, match=r"pip install matplotlib.*run\.history"):
        run.plot()
    assert run._repr_html_().count("<tr>") == 2  # the table stays
