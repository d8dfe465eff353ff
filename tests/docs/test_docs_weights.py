"""What docs/weights.md shows runs, from top to bottom, and names everything there is."""

from pathlib import Path

import numpy as np
import pytest

import pinnace as pn

PAGE = Path(__file__).parents[2] / "docs" / "weights.md"


@pytest.fixture(scope="module")
def names(run_page):
    return run_page(PAGE)


def test_the_code_of_the_page_runs(names):
    assert names["run"].history["w(bc)"].shape == (20,)
    assert names["crux"].explain().count("rad every 500 steps") == 1
    g = np.array([np.linalg.norm(2 * np.array([0.5, -2.0])), 200 * np.linalg.norm([-0.5, -3.0])])
    expected = 0.9 + 0.1 * g.mean() / g
    np.testing.assert_allclose([names["weights"]["pde"], names["weights"]["bc"]], expected, rtol=1e-6)
    assert names["on_host"]["pde"] * 0.002 == pytest.approx(names["on_host"]["bc"] * 0.5, rel=1e-4)


def test_the_page_names_everything_there_is():
    text = PAGE.read_text()
    for name in (*pn.balance.BALANCERS, *pn.balance.POINT_WEIGHTS, *pn.surgery.SURGERIES, "rad", "rar_d", "r3"):
        assert f"`{name}" in text, name
