"""What docs/rates.md shows runs, from top to bottom."""

import re
from pathlib import Path

import numpy as np
import pytest

from pinnace import LearningRateSchedule as lrs

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "rates.md"


@pytest.fixture(scope="module")
def names(run_page):
    return run_page(PAGE)


def test_the_code_of_the_page_runs(names):
    values = [float(names["long"](t)) for t in (0, 50, 100, 4100, 5100)]
    np.testing.assert_allclose(values, [0, 5e-4, 1e-3, 1e-5, 1e-6], rtol=1e-4)
    np.testing.assert_allclose(
        np.asarray(names["rates"])[[0, 99, 100, 200, 299]], [0.1, 0.1, 0.05, 0.025, 0.025], rtol=1e-6
    )
    assert names["crux"].steps == 280


def test_the_rate_of_ones_own_does_what_it_says(names):
    schedule = names["bold_driver"](1e-4, 1.1, 0.7, max_lr=1.05e-4)
    state, rates = schedule.init(), []
    for t, loss in enumerate([1.0, 0.9, 0.95, 0.1]):
        lr, state = schedule.update(t, [loss], state)
        rates.append(float(lr))
    np.testing.assert_allclose(rates, [1e-4, 1.05e-4, 0.77e-4, 0.847e-4], rtol=1e-5)


def test_the_table_has_every_factory():
    factories = {name for name in dir(lrs) if isinstance(vars_of(name), classmethod) and not name.startswith("_")}
    written = set(re.findall(r"lrs\.(\w+)\(", PAGE.read_text()))
    assert factories and factories == written


def vars_of(name):
    return next((vars(kind)[name] for kind in lrs.__mro__ if name in vars(kind)), None)


def test_the_page_is_in_the_contents():
    assert "rates.md" in (DOCS / "mkdocs.yml").read_text()
