"""Tables of HTML for notebooks: what they tell, and that names cannot break out of them."""

from html.parser import HTMLParser

import equinox as eqx
import jax
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import LearningRateSchedule as lrs
from pinnace.train import History, Run
from pinnace.train.formula import formula
from pinnace.train.html import run_html

EVIL = '<script>alert("x")</script>'


class Page(HTMLParser):
    """The words of a page, the tags in it, and whether each is closed."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.cells, self.alts, self.open = set(), [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "img":
            self.alts.append(dict(attributes)["alt"])
        elif tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


@pytest.fixture(scope="module")
def problem():
    dom = pn.domain.interval(0, 1)
    x = dom.variable("interior", 16, resample=5)
    ends = dom.variable("boundary")
    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, key=jax.random.key(0)), EVIL)
    net.optimizer(optax.sgd(1.0)).scale(lrs.exponential(1e-3, 0.9, 10, 1e-5))
    pde, ends = (net(x).d(x) - x).mse.named("pde"), net(ends).mse.named(EVIL)
    w, v = pn.fn.adaptive.dwa([pde, ends])
    crux = pn.core([w * pde, v * ends, w.tracker(), net(x).mean.tracker(EVIL * 2, every=2)])
    return crux, crux._repr_html_(), crux.solve(4, progress=False)


def test_a_crux_tells_losses_points_fields_and_cells(problem):
    crux, before, _ = problem
    page = Page(before)
    for said in (" after 0 steps: 2 losses, 13 parameters", "interior", "16", "boundary", "interval(0, 1)"):
        assert said in page.cells
    for said in ("sobol, anew every 5 steps", "MLP", "exponential", "dwa", f"pde, {EVIL}", "w(pde)", EVIL * 2):
        assert said in page.cells
    assert {f"w(pde) * pde + w({EVIL}) * {EVIL}", f"(d({EVIL}, x) - x).mse"} <= {*page.cells, *page.alts}
    after = Page(crux._repr_html_())
    assert " after 4 steps: 2 losses, 13 parameters" in after.cells and "last" in after.cells
    assert f"{crux.history['pde'][-1]:.3g}" in after.cells and "last" not in page.cells


def test_a_run_tells_its_end_its_values_and_shows_a_figure(problem):
    *_, run = problem
    page = Page(run._repr_html_())
    assert any(f"of 4 steps from 0 in {run.seconds:.1f} s: {run.message}" in said for said in page.cells)
    for name in ("total", "pde", EVIL, "w(pde)", f"lr({EVIL})"):
        values = run.history[name]
        row = page.cells[page.cells.index(name) :][:6]
        assert f"{values[0]:.3g}" in row and f"{values[-1]:.3g}" in row
    assert page.alts == ["losses over the steps"]


def test_nothing_breaks_out_of_the_tables(problem):
    crux, before, run = problem
    notes = run_html(History(), first=0, message=EVIL, seconds=0.0, losses=(), weights=(), notes=(EVIL,))
    for page in (before, crux._repr_html_(), run._repr_html_(), run.history._repr_html_(), notes):
        assert Page(page).tags <= {"div", "b", "br", "table", "tr", "th", "td", "code", "img"}


def test_runs_of_no_steps_nans_and_arrays_are_told():
    assert "of 0 steps from 7" in Run(History(), 7, message="why")._repr_html_()
    history = History()
    history.append("total", np.arange(3), np.array([1.0, np.nan, np.nan]))
    history.append("array", np.arange(3), np.ones((3, 2)))
    page = Page(Run(history, 0, losses=("total",))._repr_html_())
    assert {"nan", "1 at 0", "array [2]"} <= {*page.cells}
    history.append("none", np.zeros(0, int), np.zeros(0))
    assert "<b>History</b> of 3 names" in history._repr_html_()


def test_formulas_are_pictures_where_they_fit_and_text_where_not():
    x = pn.domain.interval(0, 1).variable("interior", 4)
    assert formula(x**2).startswith('<img src="data:image/png;base64,') and 'alt="x**2"' in formula(x**2)
    long = sum((x**k for k in range(60)), x)
    assert formula(long).startswith("<code") and formula((x < 3).named("a & b")).startswith("<code")
    assert "a &amp; b: x &lt; 3" in formula((x < 3).named("a & b"))
