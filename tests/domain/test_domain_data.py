"""Measured values at given points."""

import optax
import pytest

import pinnace as pn


@pytest.mark.filterwarnings("ignore:the loss .misfit. stays")
def test_data_are_expressions_at_their_own_points(x64):
    x, seen = pn.domain.data(x=[0.0, 0.5, 2.0], seen=[1.0, 2.0, 4.0])
    slope = pn.parameter(1.0, name="slope").freeze()
    other = pn.parameter(1.0).optimizer(optax.sgd(0.0))
    crux = pn.core([(slope * x - seen).mse.named("misfit"), other**2])
    crux.solve(1)
    assert crux.history["misfit"][0] == pytest.approx((1 + 1.5**2 + 4) / 3, rel=1e-12)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({}, "columns of equal length"),
        ({"x": [1.0], "u": [1.0, 2.0]}, "columns of equal length"),
        ({"x": [[1.0]]}, "columns of equal length"),
        ({"x": []}, "columns of equal length"),
        ({"x": [1.0, float("nan")]}, "x[1] is nan"),
    ],
)
def test_data_that_cannot_be_measurements_are_refused(columns, told):
    with pytest.raises(pn.PinnaceError) as error:
        pn.domain.data(**columns)
    assert told in str(error.value)


def test_data_have_no_normal():
    x, _ = pn.domain.data(x=[0.0, 1.0], seen=[1.0, 2.0])
    with pytest.raises(pn.PinnaceError, match="have no normal"):
        pn.normal(x)
