"""Measured values at given points."""

from decimal import Decimal

import jax.numpy as jnp
import numpy as np
import optax
import pandas
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


NAN = float("nan")
COLUMNS = {"x": [0.0, 0.5, 2.0], "kind": [1, 0, 2], "good": [True, False, True], "seen": [1.5, 2.0, NAN]}
TABLES = {
    "dict": lambda columns: columns,
    "frame": lambda columns: pandas.DataFrame(columns, index=[7, 8, 9]),
    "nullable": lambda columns: pandas.DataFrame(columns).convert_dtypes(),
    "structured": lambda columns: np.rec.fromarrays(list(columns.values()), names=list(columns)),
    "jax": lambda columns: {name: jnp.asarray(column) for name, column in columns.items()},
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_columns_are_data(name, x64):
    some = {key: column for key, column in COLUMNS.items() if key != "seen"}
    x, kind, good, more = pn.domain.data(TABLES[name](some), more=pandas.Series([3, 4, 5]))
    assert [one.points.axes[one.data[1]] for one in (x, kind, good, more)] == ["x", "kind", "good", "more"]
    table = x.points.plan.table
    assert table.dtype == np.float64
    np.testing.assert_array_equal(table, [[0, 1, 1, 3], [0.5, 0, 0, 4], [2, 2, 1, 5]])
    with pytest.raises(pn.PinnaceError, match=r"seen\[2\] is (nan|<NA>)"):
        pn.domain.data(TABLES[name](COLUMNS))


def test_columns_of_vectors_have_their_components_at_each_point(x64):
    flow = np.arange(8.0).reshape(4, 2)
    x, seen = pn.domain.data(x=np.arange(4), seen=flow)
    assert seen.shape == (2,) and str(x * seen) == "x * seen"
    p = pn.parameter(np.array([1.0, 2.0]), name="p").optimizer(optax.sgd(0.0))
    crux = pn.core([(p * x - seen).mse.named("misfit"), seen.tracker("seen"), seen[1].tracker("second")])
    history = crux.solve(1).history
    expected = np.mean((np.arange(4)[:, None] * [1, 2] - flow) ** 2)
    assert history["misfit"][0] == pytest.approx(expected, rel=1e-14)
    np.testing.assert_array_equal(history["seen"][0], flow)
    np.testing.assert_array_equal(history["second"][0], flow[:, 1])


FRAME = pandas.DataFrame({"x": [0.0, 1.0], "when": pandas.to_datetime(["2020-01-01", "2020-01-02"]), "who": ["a", "b"]})


@pytest.mark.parametrize(
    ("given", "named", "told"),
    [
        (FRAME[["x", "who"]], {}, r"who\[0\] is 'a', and data are real numbers"),
        (FRAME[["x", "when"]], {}, "when holds times of type datetime64"),
        (FRAME, {"x": [1.0, 2.0]}, 'two columns of data are called "x"'),
        (pandas.DataFrame([[1.0, 2.0]], columns=["x", "x"]), {}, "two columns of data are called 'x'"),
        (pandas.DataFrame([[1.0, 2.0]]), {}, "have names, which are texts; got 0"),
        (np.ones((4, 2)), {}, r"no names for its columns; got one of shape \(4, 2\)"),
        ([1.0, 2.0], {}, "data takes columns, .*; got list"),
        (None, {"x": ["1.0"]}, r"x\[0\] is .*'1.0'"),
        (None, {"x": [1.0, None]}, r"x\[1\] is None"),
        (None, {"x": [1.0, 1j]}, r"x\[0\] is"),
        (None, {"x": [[1.0], [2.0, 3.0]]}, "x is no column of numbers"),
        (None, {"x": np.ones((3, 1))}, r"a table of one column: give that column, x=...\[:, 0\]"),
        (None, {"x": np.ones((3, 2, 2))}, r"x has shape \(3, 2, 2\)"),
        (None, {"x": 1.0}, r"x has shape \(\)"),
        (None, {"x": [1.0, 2.0], "u": np.ones((3, 2))}, "columns of equal length"),
        (None, {"x": np.array([[1.0, 2.0], [3.0, np.inf]])}, r"x\[1, 1\] is inf"),
        (None, {"x": np.ma.masked_array([1, 2, 3], [0, 0, 1])}, r"x\[2\] is nan"),
        (None, {"x": [0.0, 1e300]}, r"x\[1\] is 1e\+300, more than float32 can hold: scale x"),
    ],
)
def test_columns_that_are_no_numbers_name_row_and_column(given, named, told):
    with pytest.raises(pn.PinnaceError, match=told):
        pn.domain.data(given, **named)
    assert pn.domain.data(x=[Decimal("0.5"), 2])[0].points.size == 2


def test_an_error_at_measured_points_is_a_tracker(x64):
    """A validation set: other points than those of the losses, every so many steps."""
    (x,) = pn.domain.data(x=np.linspace(0, 1, 9), batch=4)
    xv, seen = pn.domain.data({"x": [0.5, 1.5, 3.0], "seen": [1.0, 2.0, 7.0]})
    p = pn.parameter(1.0, name="p").optimizer(optax.sgd(0.1))
    u = p * x
    crux = pn.core([(u - 2 * x).mse, pn.np.relative_l2(u.at({x: xv}), seen).tracker("error", every=2), p.tracker("p")])
    history = crux.solve(3).history
    table = np.array([[0.5, 1.5, 3.0], [1.0, 2.0, 7.0]])
    expected = [np.linalg.norm(p * table[0] - table[1]) / np.linalg.norm(table[1]) for p in history["p"][[0, 2]]]
    np.testing.assert_allclose(history["error"], expected, rtol=1e-13)


def test_data_have_no_normal():
    x, _ = pn.domain.data(x=[0.0, 1.0], seen=[1.0, 2.0])
    with pytest.raises(pn.PinnaceError, match="have no normal"):
        pn.normal(x)
